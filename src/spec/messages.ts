import type { NamedAgent } from './agent.ts';

/**
 * The gateway's own request and answer, in the vocabulary of the Messages API.
 *
 * Blocks stay open objects: the gateway carries them and reads only what it must.
 */

/** A JSON object as it came from, or goes to, a wire. */
export type JsonObject = { [key: string]: unknown };

/** A content block: `{type: 'text', text}`, `{type: 'image', source}`, `{type: 'tool_use', id, name, input}`, … */
export interface ContentBlock extends JsonObject {
  type: string;
}

/** A message whose content is always a list of blocks; in a request, roles alternate. */
export interface Message {
  role: 'user' | 'assistant';
  content: ContentBlock[];
}

/**
 * A tool that the client runs, as the client declared it. Either the root type of its `input_schema` is `object`, or Anthropic
 * defines the tool by its `type` and it has no schema.
 */
export interface ClientTool extends JsonObject {
  name: string;
  type?: string;
  description?: string;
  input_schema?: JsonObject;
}

/**
 * One client request, decoded from its dialect.
 *
 * The newest message is the turn to be answered; everything before it is history.
 */
export interface MessagesRequest {
  model: string;
  /** What the client names as its model, where `model` is already that of the agent. */
  askedModel?: string;
  /** Its exact id, where that is known; `model` may be an alias. */
  modelId?: string;
  /** The text of the system prompt, its blocks joined by a blank line; empty when there is none. */
  system: string;
  messages: Message[];
  tools: ClientTool[];
  /** Where the client's tools stand in its own body, such as `tools.0`; those too that its messages have taken back. */
  toolPaths?: readonly string[];
  /**
   * Body fields that go into the model's request as they are: always `max_tokens`; `thinking`, sampling and output fields, and
   * those that the gateway does not know, if the client sent them.
   */
  parameters: JsonObject;
  /**
   * Where parameters, or parts of them such as `tool_choice.disable_parallel_tool_use`, stand in the client's own body, if
   * elsewhere; undefined for one that the client did not send.
   */
  parameterPaths?: Readonly<Record<string, string | undefined>>;
  /** Values of `anthropic-beta` that go with the model's request, sorted. */
  betas: string[];
  /** Where the client asks for thinking in its own body; absent where that is `thinking`. */
  thinkingPath?: string;
  stream: boolean;
  /** Paths of fields that the gateway does not act on, such as `tools.0.defer_loading`. */
  ignored: string[];
  /** Paths of messages that reach the model in another form, such as `messages.1`. */
  converted: string[];
  /** Paths of fields that the gateway does not know and passes on, such as `output_config.invented`. */
  unknown: string[];
  /** The ids of the gateways of this kind that it came through, the nearest last; see `spec/via`. */
  via?: readonly string[];
  /** The user that the client says it asks for; for log lines only. */
  userId?: string;
  /** The agent that answers; absent for a request whose client runs its own tools. */
  agent?: NamedAgent;
}

/** A complete answer, as the API's non-streaming body: `usage` and `stop_reason` are the model's own. */
export interface AnswerMessage extends JsonObject {
  id: string;
  type: 'message';
  role: 'assistant';
  model: string;
  content: ContentBlock[];
  stop_reason: string | null;
  stop_sequence: string | null;
  usage: JsonObject;
}
