import Anthropic from '@anthropic-ai/sdk';
import { afterEach, expect } from 'vitest';
import type { StreamEvent } from './sse-frames.ts';
import { SseGrammar, type StreamEnd } from './sse-grammar.ts';

/** Clients that hold every stream which they receive against the grammar of the Messages API. */

/** What a test that swallows the errors of its client would not see. */
const departures: unknown[] = [];
afterEach(() => {
  expect(departures.splice(0)).toEqual([]);
});

/** The official SDK; a stream that is ungrammatical fails for it, and fails the test. */
export function sdkClient(baseURL: string, apiKey = 'any'): Anthropic {
  return new Anthropic({ baseURL, apiKey, maxRetries: 0, fetch: watchedFetch });
}

const watchedFetch: typeof fetch = async (input, init) => {
  const response = await fetch(input, init);
  if (!isEventStream(response) || !response.body) return response;
  const grammar = new SseGrammar();
  const watch = (step: () => void) => {
    try {
      step();
    } catch (error) {
      departures.push(error);
      throw error;
    }
  };
  // A client that leaves early never comes to the flush.
  const watched = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      watch(() => grammar.write(chunk));
      controller.enqueue(chunk);
    },
    flush: () => watch(() => grammar.end()),
  });
  return new Response(response.body.pipeThrough(watched), response);
};

/** Posts a request with `stream: true` and reads its stream to the end. */
export async function postStream(
  baseURL: string,
  body: object,
): Promise<{ response: Response; events: StreamEvent[]; end: StreamEnd }> {
  const response = await fetch(`${baseURL}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, stream: true }),
  });
  if (!isEventStream(response)) throw new Error(`not a stream: ${response.status} ${await response.text()}`);
  const grammar = new SseGrammar();
  for await (const chunk of response.body ?? []) grammar.write(chunk);
  return { response, events: grammar.events, end: grammar.end() };
}

function isEventStream(response: Response): boolean {
  return response.headers.get('content-type')?.startsWith('text/event-stream') === true;
}
