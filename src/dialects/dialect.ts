import type { Failure } from '../spec/failures.ts';
import type { AnswerMessage, JsonObject, Message, MessagesRequest } from '../spec/messages.ts';
import type { ModelListing } from '../spec/model-listing.ts';
import type { PlanLimits } from '../spec/plan-limits.ts';
import type { TurnEvent } from '../spec/turn-events.ts';

/** One client protocol. The HTTP side knows no more of it than this. */
export interface Dialect {
  /** As a turn's record names it: `anthropic-messages`. */
  name: string;
  routes: readonly DialectRoute[];
  /** What becomes of each thing that a request can hold, for `GET /v1/capabilities`. */
  contract: JsonObject;
  /**
   * Encodes a failure before the first byte of an answer.
   *
   * @param requestId the client's own id, else the gateway's; an upstream's failure has the upstream's instead
   */
  encodeError(failure: Failure, requestId: string): ErrorAnswer;
  /** The headers that tell what is known of a plan's limits. */
  limitHeaders(limits: PlanLimits): Record<string, string>;
  /** The message in which clients of this dialect send an answer back, for the lineage of the next turn. */
  asReturned(answer: AnswerMessage): Message;
}

/** The dialects of an app. The first one answers for paths that belong to none. */
export type Dialects = readonly [Dialect, ...Dialect[]];

/** A path and what it serves. Errors at the path, or below it, have the dialect's envelope. */
export type DialectRoute = TurnRoute | TokenCountRoute | ModelsRoute | ModelRoute;

/** One turn. */
export interface TurnRoute {
  serves: 'turn';
  method: 'POST';
  path: string;
  /** @throws FailureError `bad_request`, which names the field; `field_ignored` */
  decode(wire: WireRequest): DecodedTurn;
}

/** The number of tokens that a turn would send to the model. */
export interface TokenCountRoute {
  serves: 'token count';
  method: 'POST';
  path: string;
  /** @throws FailureError `bad_request`, which names the field; `field_ignored` */
  decode(wire: WireRequest): MessagesRequest;
  encode(inputTokens: number): JsonObject;
}

/** The list of models. */
export interface ModelsRoute {
  serves: 'models';
  method: 'GET';
  path: string;
  /**
   * @param query the URL's
   * @throws FailureError `bad_request`
   */
  encode(models: readonly ModelListing[], query: Record<string, string>): JsonObject;
}

/** One model; the URL is the path, a slash and the model's id. */
export interface ModelRoute {
  serves: 'model';
  method: 'GET';
  path: string;
  /** The name of the model for an id in the URL, as a turn takes it. */
  decode(id: string): string;
  encode(model: ModelListing): JsonObject;
}

/** A request as it came. */
export interface WireRequest {
  /** The parsed JSON, of any shape. */
  body: unknown;
  /** The value of a header, by its lower-case name. */
  header(name: string): string | undefined;
  /** Whether a field that would be ignored is an error instead. */
  strict: boolean;
  /** False when the body's text cannot hold any; saves a walk through the whole body. */
  mayHoldLoneSurrogates: boolean;
  /** Whether a value of `anthropic-beta` reaches the provider of the model. */
  passesBeta(value: string): boolean;
  /** The model that the operator means by a name of his own; undefined for any other name. */
  aliasOf(name: string): string | undefined;
  /** The ids of the models that a client may ask for. */
  models(): readonly string[];
  /**
   * The model of the agent that answers the request; undefined where none does, or one that leaves the model to the request.
   *
   * @param name what the request names as its model, which may be an agent
   * @throws FailureError `agent_not_found`; `bad_request` for two agents
   */
  agentModel(name: string): string | undefined;
  /** The exact id of the model that a name stands for; the name itself where nothing is known of it. */
  idOf(name: string): string;
  /** The size of the body. */
  bytes: number;
  /** What earlier answers have left for the same caller. */
  memory: AnswerMemory;
}

/** For dialects whose clients refer to earlier answers. It is bounded: what was put may be gone. */
export interface AnswerMemory {
  get(id: string): unknown;
  /** @param bytes about how much it holds */
  put(id: string, value: object, bytes: number): void;
}

/** A decoded request for a turn, with the encoder for its answer. */
export interface DecodedTurn {
  request: MessagesRequest;
  /**
   * An encoder for the one answer: of a stream or of a whole body, as the request asks.
   *
   * @param at when the answer begins, in milliseconds since 1970
   * @param isOfAgent whether it is several answers of the model in one
   */
  encoder(requestId: string, at: number, isOfAgent: boolean): AnswerEncoder;
}

/** Encodes the events of one answer in order. It may keep state from event to event. */
export interface AnswerEncoder {
  /**
   * The text for the client; empty if an event has none. A stream gets frames; a whole answer gets its body at `message_stop`
   * and nothing before. A `failure` comes here only after the first byte.
   */
  encode(event: TurnEvent): string;
  /** The text that shows the client in a silence that its answer is under way; empty where none can, as for a whole body. */
  keepAlive(): string;
}

/** An error as an HTTP answer. */
export interface ErrorAnswer {
  /** As a rule the failure's own. */
  status: number;
  /** Headers besides those of every error. */
  headers?: Record<string, string>;
  body: JsonObject;
}
