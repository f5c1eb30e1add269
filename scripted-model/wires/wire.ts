import type { StreamEvent } from '../message-stream.ts';
import { bedrockWire } from './bedrock.ts';
import { messagesWire } from './messages-api.ts';
import { vertexWire } from './vertex.ts';

/** How one provider's API takes a request at a path, and writes the answer. */
export interface Wire {
  asks: 'message' | 'token count';
  /** The model, where the path names it in place of the body. */
  model?: string;
  /** Whether the answer is a stream, where the path says so in place of the body. */
  streams?: boolean;
  /** The content type of a stream. */
  streamType: string;
  /** One event of a stream. */
  frame(event: StreamEvent): string | Uint8Array;
  tokenCount(inputTokens: number): unknown;
  /** The body of an error. */
  error(type: string, message: string, status: number, requestId: string): unknown;
}

/** @returns undefined for a path of no provider */
export function wireOf(path: string): Wire | undefined {
  return messagesWire(path) ?? vertexWire(path) ?? bedrockWire(path);
}
