import type { Failure } from '../spec/failures.ts';
import type { AnswerMessage, JsonObject, Message, MessagesRequest } from '../spec/messages.ts';
import type { ModelListing } from '../spec/model-listing.ts';
import type { TurnEvent } from '../spec/turn-events.ts';

/** One client protocol: all that the HTTP side knows of it. */
export interface Dialect {
  /** As a turn's record names it: `anthropic-messages`. */
  name: string;
  routes: readonly DialectRoute[];
  /** What becomes of each thing that a request can say, for `GET /v1/capabilities`. */
  contract: JsonObject;
  /**
   * A failure before the first byte of an answer.
   *
   * @param requestId the gateway's own; a failure of the upstream's names the upstream's
   */
  encodeError(failure: Failure, requestId: string): ErrorAnswer;
  /** The message as which a client of this dialect sends an answer back, for the lineage of the next turn. */
  asReturned(answer: AnswerMessage): Message;
}

/** The dialects that are served. The first one answers for paths that belong to none. */
export type Dialects = readonly [Dialect, ...Dialect[]];

/** A path and what it serves; an error at the path, or below it, is in the dialect's envelope. */
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

/** One model; its id stands behind the path and a slash. */
export interface ModelRoute {
  serves: 'model';
  method: 'GET';
  path: string;
  /** @throws FailureError `not_found` */
  encode(models: readonly ModelListing[], id: string): JsonObject;
}

/** A request as it came. */
export interface WireRequest {
  /** The parsed JSON, of any shape. */
  body: unknown;
  /** The value of a header, by its name in small letters. */
  header(name: string): string | undefined;
  /** Whether a field that would be ignored is an error instead. */
  strict: boolean;
  /** False when the text of the body cannot hold any; saves a walk through all of it. */
  mayHoldLoneSurrogates: boolean;
}

/** A request for a turn, as the gateway takes it, and the way to answer it. */
export interface DecodedTurn {
  request: MessagesRequest;
  /** An encoder for the one answer: of a stream or of a whole body, as the request asks. */
  encoder(requestId: string): AnswerEncoder;
}

/** Encodes the events of one answer, in their order; it may remember what it has encoded. */
export interface AnswerEncoder {
  /**
   * What goes to the client for an event, empty for nothing. A stream gets its frames; a whole answer gets its body with
   * `message_stop`, and nothing before. A `failure` comes here only after the first byte.
   */
  encode(event: TurnEvent): string;
  /** What shows the client in a silence that its answer is under way; empty where nothing can, as before a whole body. */
  keepAlive(): string;
}

/** An error as an HTTP answer. */
export interface ErrorAnswer {
  /** Most often the failure's own. */
  status: number;
  /** Beside those that every error has. */
  headers?: Record<string, string>;
  body: JsonObject;
}
