import Anthropic, { APIError } from '@anthropic-ai/sdk';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { anthropicMessages } from '../../src/dialects/anthropic-messages/anthropic-messages.ts';
import { StreamEncoder } from '../../src/dialects/anthropic-messages/encode-answer.ts';
import { AnswerFold } from '../../src/engine/turn/answer-fold.ts';
import type { Failure } from '../../src/spec/failures.ts';
import type { TurnEvent } from '../../src/spec/turn-events.ts';
import { DAMAGES } from '../support/damaged-streams.ts';
import { checkProperty, depthOf } from '../support/depth.ts';
import { foldMessage } from '../support/fold-message.ts';
import { chunkSizes, type GeneratedTurn, generatedTurn, inChunks } from '../support/generated-turns.ts';
import { type Complaint, UngrammaticalStream } from '../support/sse-frames.ts';
import { SseGrammar } from '../support/sse-grammar.ts';
import { type StreamedAnswer, StreamServer } from '../support/streamed-turns.ts';

/**
 * Random turns through the product's streaming answer: the automaton of the grammar, the official SDK and the product's
 * own fold must make the same message of it, wherever the bytes are cut.
 */

let streams = 0;
let pings = 0;

test('whatever a turn is, its stream is grammatical and all readers make the same message of it', {
  tags: ['soak'],
}, async () => {
  const depth = depthOf('wholeStreams');
  const batch = fc.array(fc.tuple(generatedTurn, chunkSizes), { minLength: 1, maxLength: 20, size: 'max' });
  await checkProperty(
    depth,
    fc.asyncProperty(batch, async (turns) => {
      if (depth.isOver()) return;
      await Promise.all(turns.map(([turn, sizes]) => check(turn, sizes)));
    }),
  );
  if (!depth.isOver()) expect(streams).toBeGreaterThan(depth.runs * 9);
  expect(pings).toBeGreaterThan(0);
});

test('a stream that is damaged anywhere is refused, for the right reason', { tags: ['soak'] }, async () => {
  const depth = depthOf('damagedStreams');
  const seen = new Set<string>();
  await checkProperty(
    depth,
    fc.asyncProperty(generatedTurn, chunkSizes, fc.nat(1_000_000), async (turn, sizes, pick) => {
      if (depth.isOver()) return;
      const frames = (await streamText({ ...turn, silences: new Set() })).split(/(?<=\n\n)/);
      const { events } = readByGrammar([encoder.encode(frames.join(''))]);
      for (const { name, about, at } of DAMAGES) {
        const places = at(frames, events);
        const damaged = places[pick % places.length];
        if (!damaged) continue;
        seen.add(name);
        const bytes = encoder.encode(damaged.join(''));
        expect([name, complaintAbout(inChunks(bytes, sizes))]).toEqual([name, about]);
      }
    }),
  );
  if (!depth.isOver()) expect(DAMAGES.map(({ name }) => name).filter((name) => !seen.has(name))).toEqual([]);
});

test('a stream that is cut anywhere is refused at its end and not before', { tags: ['soak'] }, async () => {
  const depth = depthOf('cutStreams');
  await checkProperty(
    depth,
    fc.asyncProperty(generatedTurn, chunkSizes, fc.nat(1_000_000), async (turn, sizes, pick) => {
      if (depth.isOver()) return;
      const bytes = encoder.encode(await streamText({ ...turn, silences: new Set() }));
      const cut = bytes.slice(0, pick % bytes.length);
      const grammar = readByGrammar(inChunks(cut, sizes));
      expect(() => grammar.end()).toThrow(expect.objectContaining({ about: 'end' }));
      // What is no UTF-8 is refused wherever it stands.
      const broken = Buffer.concat([cut, Buffer.of(0xff), bytes.slice(cut.length)]);
      expect(complaintAbout(inChunks(broken, sizes))).toBe('bytes');
    }),
  );
});

const encoder = new TextEncoder();

let server: StreamServer;
beforeAll(async () => {
  server = await StreamServer.start();
});
afterAll(() => server.stop());

/** A turn as the product answers it, over HTTP, and what it says of its end. */
function answered(turn: GeneratedTurn, keepAliveMs?: number): Promise<StreamedAnswer> {
  const encoder = new StreamEncoder('req_own');
  return server.answer(turn, { dialect: anthropicMessages, encoder, ...(keepAliveMs && { keepAliveMs }) });
}

/** What the product sends for a turn; a failure before the first event as the error event that it is after a silence. */
async function streamText(turn: GeneratedTurn): Promise<string> {
  const { response } = await answered(turn);
  const text = await response.text();
  return response.status === 200 ? text : `event: error\ndata: ${text}\n\n`;
}

function complaintAbout(chunks: Uint8Array[]): Complaint | undefined {
  try {
    readByGrammar(chunks).end();
    return undefined;
  } catch (error) {
    if (error instanceof UngrammaticalStream) return error.about;
    throw error;
  }
}

async function check(turn: GeneratedTurn, sizes: readonly number[]): Promise<void> {
  streams += 1;
  const { response, record } = await answered(turn, turn.silences.size > 0 ? 1 : undefined);
  const bytes = new Uint8Array(await response.arrayBuffer());
  expect(record().came.outcome).toBe(turn.failure?.code ?? 'complete');
  const chunks = inChunks(bytes, sizes);
  const read = () => readBySdk(new Response(streamOf(chunks), response));
  if (turn.failure) {
    const envelope = envelopeOf(turn.failure);
    const isFirst = turn.events.length === 1 && !turn.silences.has(0);
    expect(response.status).toBe(isFirst ? turn.failure.status : 200);
    if (isFirst) expect(JSON.parse(new TextDecoder().decode(bytes))).toMatchObject(envelope);
    else expect(readByGrammar(chunks).end()).toMatchObject(envelope);
    const error = await read().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(APIError);
    expect(error).toMatchObject({ status: isFirst ? turn.failure.status : undefined, error: envelope });
    return;
  }
  expect(response.status).toBe(200);
  const grammar = readByGrammar(chunks);
  expect(grammar.end()).toEqual({ type: 'message_stop', stop_reason: turn.message.stop_reason });
  pings += grammar.events.filter(({ type }) => type === 'ping').length;
  const expected = comparable(turn, turn.message);
  expect(comparable(turn, foldMessage(grammar.events))).toEqual(expected);
  expect(comparable(turn, await read())).toEqual(expected);
  expect(comparable(turn, foldByEngine(turn.events))).toEqual(expected);
}

function envelopeOf({ type, message, requestId = 'req_own' }: Failure) {
  return { type: 'error', error: { type, message }, request_id: requestId };
}

function readByGrammar(chunks: Uint8Array[]): SseGrammar {
  const grammar = new SseGrammar();
  for (const chunk of chunks) grammar.write(chunk);
  return grammar;
}

async function readBySdk(response: Response): Promise<object> {
  const client = new Anthropic({
    baseURL: 'http://127.0.0.1:9',
    apiKey: 'any',
    maxRetries: 0,
    fetch: async () => response,
  });
  return client.messages
    .stream({ model: 'claude-sonnet-5', max_tokens: 1, messages: [{ role: 'user', content: 'hi' }] })
    .finalMessage();
}

function foldByEngine(events: TurnEvent[]): object {
  const fold = new AnswerFold();
  for (const event of events) if (event.type !== 'message_stop' && event.type !== 'failure') fold.add(event);
  return fold.message ?? {};
}

function streamOf(chunks: Uint8Array[]): ReadableStream<Uint8Array> {
  const left = chunks.values();
  return new ReadableStream({
    pull(controller) {
      const { value, done } = left.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
}

/** As plain JSON, without what the official SDK adds, and without the input that a limit has cut. */
function comparable({ cutBlock }: GeneratedTurn, message: object): unknown {
  const { content, stop_details: _, parsed_output: __, ...rest } = JSON.parse(JSON.stringify(message));
  const blocks = (content as Array<Record<string, unknown>>).map(({ parsed_output: ___, ...block }, index) =>
    index === cutBlock ? { ...block, input: undefined } : block,
  );
  return { ...rest, content: blocks };
}
