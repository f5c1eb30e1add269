/** A model that a client may ask for. */
export interface ModelListing {
  /** The exact id, such as `claude-opus-5-5`. */
  id: string;
  /** Short names that Claude Code takes for it, such as `opus`. */
  aliases: string[];
  /** The tokens that a request may have; absent when not known. */
  maxInputTokens?: number;
  /** The tokens that an answer may have; absent when not known. */
  maxTokens?: number;
  /** Set for an agent of the gateway, which a request can name like a model. */
  isAgent?: true;
}

/** The context window of a model that has answered, in tokens. */
export interface HeardModel {
  id: string;
  contextWindow: number;
}

/**
 * What the name of a model may be, known or not: such as an id of Claude, a profile of Bedrock, a deployment of Foundry, or what a
 * proxy calls its own.
 */
export const MODEL_NAME = /^[!-~]{1,256}$/;
