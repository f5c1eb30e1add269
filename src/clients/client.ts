export { CLIENT_KEY } from '../spec/client-key.ts';

/** An API that a gateway serves: Anthropic's Messages, OpenAI's chat completions, or OpenAI's responses. */
export type ClientApi = (typeof CLIENT_APIS)[number];

export const CLIENT_APIS = ['messages', 'chat', 'responses'] as const;

/** A program that asks a model, and how it is pointed at a gateway without a change to any file of its user. */
export interface Client {
  /** The word that a user types: `isthmus launch opencode`. */
  name: string;
  /** What its makers call it. */
  title: string;
  /** Other words that a user may type. */
  aliases?: readonly string[];
  /** What it may be called on PATH; the first that is there is run. */
  programs: readonly string[];
  /** Arguments with which it prints its version and ends. */
  versionArgs: readonly string[];
  /** The one line that installs it. */
  install: string;
  /** Those that it speaks and can be launched with; the first is the one of a launch without a wish. */
  apis: readonly [ClientApi, ...ClientApi[]];
  /** What its launch uses to point it at the gateway, in a few words: `OPENCODE_CONFIG_CONTENT`. */
  route: string;
  /**
   * How to start it so that it asks the gateway, whatever its user has configured. Pure: it reads and writes nothing.
   *
   * @throws ClientError when the arguments leave no way
   */
  launch(target: LaunchTarget): LaunchPlan;
}

/** What a client is to be pointed at, and what its user wants of it. */
export interface LaunchTarget {
  /** The gateway's address, without a path: `http://127.0.0.1:3456`. */
  url: string;
  /** What the client is to speak; one of its own. */
  api: ClientApi;
  /** The models that the gateway offers; at least one. */
  models: readonly ClientModel[];
  /** The one for conversations, unless the user names another. */
  model: ClientModel;
  /** The one for titles and summaries. */
  smallModel: ClientModel;
  /** The arguments of the user, which the client gets as they are. */
  args: readonly string[];
  /** The user's environment, which the client inherits. */
  environment: Readonly<Record<string, string | undefined>>;
  /** A private temporary folder, which is removed when the client has ended; absolute. */
  folder: string;
}

/** A model that the gateway offers. */
export interface ClientModel {
  /** Its exact id, such as `claude-sonnet-5`. */
  id: string;
  /** Its name for people. */
  title: string;
  /** The tokens that a request may have; absent when not known. */
  contextWindow?: number;
  /** The tokens that an answer may have; absent when not known. */
  maxTokens?: number;
}

/** How to start a client. */
export interface LaunchPlan {
  /** All arguments, those of the user included. */
  args: readonly string[];
  /** Changes to the environment that it inherits; undefined takes a variable out. */
  environment: Readonly<Record<string, string | undefined>>;
  /** Files to write into the temporary folder before the start: their names below it, and their texts. */
  files?: Readonly<Record<string, string>>;
  /** Ends what the client leaves running. Called when it has ended, before the folder goes. */
  afterwards?(): Promise<void>;
}

/** A launch that cannot be; the message is one line that says the cure. */
export class ClientError extends Error {}
