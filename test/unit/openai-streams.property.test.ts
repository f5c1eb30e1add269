import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AnswerEncoder, Dialect } from '../../src/dialects/dialect.ts';
import { ChatStreamEncoder } from '../../src/dialects/openai-chat/encode-chat.ts';
import { openAiChat } from '../../src/dialects/openai-chat/openai-chat.ts';
import { ResponsesStreamEncoder } from '../../src/dialects/openai-responses/encode-responses.ts';
import { openAiResponses } from '../../src/dialects/openai-responses/openai-responses.ts';
import { requestEcho } from '../../src/dialects/openai-responses/request-echo.ts';
import { ChatGrammar } from '../support/chat-grammar.ts';
import { CHAT_DAMAGES, type ChatData } from '../support/damaged-chat-streams.ts';
import { RESPONSE_DAMAGES } from '../support/damaged-response-streams.ts';
import { damagedTurn } from '../support/damaged-turns.ts';
import { checkProperty, depthOf } from '../support/depth.ts';
import { FREE_TEXT_TOOL } from '../support/free-text-calls.ts';
import { chunkSizes, type GeneratedTurn, generatedTurn, inChunks } from '../support/generated-turns.ts';
import { ResponsesGrammar } from '../support/responses-grammar.ts';
import { type Complaint, type StreamEvent, UngrammaticalStream } from '../support/sse-frames.ts';
import type { Damage } from '../support/stream-damage.ts';
import { StreamServer } from '../support/streamed-turns.ts';

/** Random turns, sound and damaged, through the streaming answers of OpenAI's two APIs, each held against its grammar. */

/** What a test needs to know of an API. `asksUsage` is of the request. */
interface Api<Event> {
  dialect: Dialect;
  encoder(asksUsage: boolean): AnswerEncoder;
  /** What a stream ended with: `failed`, or the reason why it did not go on. */
  endOf(chunks: Iterable<Uint8Array>, asksUsage: boolean): string;
  eventsOf(frames: readonly string[]): Event[];
  damages: ReadonlyArray<Damage<Event>>;
}

const CHAT: Api<ChatData> = {
  dialect: openAiChat,
  encoder: (includesUsage) =>
    new ChatStreamEncoder({
      id: 'chatcmpl-1',
      created: 1,
      model: 'asked',
      customTools: new Set([FREE_TEXT_TOOL]),
      includesUsage,
      isOfAgent: false,
    }),
  endOf: (chunks, asksUsage) => {
    const grammar = new ChatGrammar({ asksUsage });
    for (const chunk of chunks) grammar.write(chunk);
    const end = grammar.end();
    return end.type === 'error' ? 'failed' : end.finish_reason;
  },
  eventsOf: (frames) =>
    frames.map((frame) => (frame === 'data: [DONE]\n\n' ? '[DONE]' : JSON.parse(frame.slice('data: '.length)))),
  damages: CHAT_DAMAGES,
};

const RESPONSES: Api<StreamEvent> = {
  dialect: openAiResponses,
  encoder: () =>
    new ResponsesStreamEncoder({
      id: 'resp_1',
      createdAt: 1,
      now: () => 2,
      model: 'asked',
      tools: new Map([
        ['mcp__x__y', { name: 'y', namespace: 'mcp__x__', isCustom: false }],
        [FREE_TEXT_TOOL, { name: 'b', namespace: 'a.', isCustom: true }],
      ]),
      echo: requestEcho({}, {}),
      keep: () => undefined,
    }),
  endOf: (chunks) => {
    const grammar = new ResponsesGrammar();
    for (const chunk of chunks) grammar.write(chunk);
    return grammar.end().type.replace('response.', '');
  },
  eventsOf: (frames) => frames.map((frame) => JSON.parse(frame.slice(frame.indexOf('\ndata: ') + '\ndata: '.length))),
  damages: RESPONSE_DAMAGES,
};

/** Not inside a chunk of the text: what stands behind an empty line may be text of the model. */
const framesOf = (text: string) => text.split(/(?<=\n\n)/);

let server: StreamServer;
beforeAll(async () => {
  server = await StreamServer.start();
});
afterAll(() => server.stop());

const silentTurn = fc
  .tuple(generatedTurn, fc.array(fc.nat(12), { maxLength: 3 }))
  .map(([turn, silences]): GeneratedTurn => ({ ...turn, silences: new Set(silences) }));

describe.each<[string, Api<never>]>([
  ['chat completions', CHAT as unknown as Api<never>],
  ['responses', RESPONSES as unknown as Api<never>],
])('a stream of %s', (_, api) => {
  test('is grammatical over the wire whatever the turn is, and with a keep-alive anywhere', {
    tags: ['soak'],
  }, async () => {
    const depth = depthOf('openAiStreams');
    const batch = fc.array(fc.tuple(silentTurn, chunkSizes, fc.boolean()), { minLength: 1, maxLength: 10 });
    await checkProperty(
      depth,
      fc.asyncProperty(batch, async (turns) => {
        if (depth.isOver()) return;
        await Promise.all(turns.map(([turn, sizes, asksUsage]) => checkOverWire(api, turn, sizes, asksUsage)));
      }),
    );
  });

  test('is grammatical also where the model keeps no order', { tags: ['soak'] }, async () => {
    const depth = depthOf('openAiDamagedTurns');
    await checkProperty(
      depth,
      fc.asyncProperty(damagedTurn, fc.boolean(), async (turn, asksUsage) => {
        if (depth.isOver()) return;
        const end = api.endOf([bytesOf(streamText(api, turn, asksUsage))], asksUsage);
        expect(end === 'failed').toBe(turn.events.at(-1)?.type === 'failure');
      }),
    );
  });

  test('is refused where it is damaged, for the right reason', { tags: ['soak'] }, async () => {
    const depth = depthOf('openAiDamagedStreams');
    const seen = new Set<string>();
    await checkProperty(
      depth,
      fc.asyncProperty(
        generatedTurn,
        chunkSizes,
        fc.nat(1_000_000),
        fc.boolean(),
        async (turn, sizes, pick, asksUsage) => {
          if (depth.isOver()) return;
          const frames = framesOf(streamText(api, { ...turn, silences: new Set() }, asksUsage));
          const events = api.eventsOf(frames);
          for (const { name, about, at } of api.damages) {
            const places = at(frames, events);
            const damaged = places[pick % places.length];
            if (!damaged) continue;
            seen.add(name);
            const chunks = inChunks(bytesOf(damaged.join('')), sizes);
            expect([name, complaintAbout(api, chunks, asksUsage)]).toEqual([name, about]);
          }
        },
      ),
    );
    if (!depth.isOver()) expect(api.damages.map(({ name }) => name).filter((name) => !seen.has(name))).toEqual([]);
  });

  test('is refused at its end where it is cut', { tags: ['soak'] }, async () => {
    const depth = depthOf('openAiCutStreams');
    await checkProperty(
      depth,
      fc.asyncProperty(silentTurn, chunkSizes, fc.nat(1_000_000), async (turn, sizes, pick) => {
        if (depth.isOver()) return;
        const bytes = bytesOf(streamText(api, turn, true));
        const cut = bytes.slice(0, pick % bytes.length);
        expect(complaintAbout(api, inChunks(cut, sizes), true)).toBe('end');
        // What is no UTF-8 is refused wherever it stands.
        const broken = Buffer.concat([cut, Buffer.of(0xff), bytes.slice(cut.length)]);
        expect(complaintAbout(api, inChunks(broken, sizes), true)).toBe('bytes');
      }),
    );
  });
});

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** What the encoder makes of a turn, with a keep-alive in each silence. */
function streamText(
  api: Api<never>,
  { events, silences }: Pick<GeneratedTurn, 'events' | 'silences'>,
  asksUsage: boolean,
): string {
  const encoder = api.encoder(asksUsage);
  return events.map((event, at) => (silences.has(at) ? encoder.keepAlive() : '') + encoder.encode(event)).join('');
}

async function checkOverWire(
  api: Api<never>,
  turn: GeneratedTurn,
  sizes: readonly number[],
  asksUsage: boolean,
): Promise<void> {
  const keepAliveMs = turn.silences.size > 0 ? 1 : 3_600_000;
  const { dialect } = api;
  const { response, record } = await server.answer(turn, { dialect, encoder: api.encoder(asksUsage), keepAliveMs });
  const bytes = new Uint8Array(await response.arrayBuffer());
  expect(record().came.outcome).toBe(turn.failure?.code ?? 'complete');
  if (turn.failure && response.status !== 200) {
    const { status, body } = dialect.encodeError(turn.failure, 'req_own');
    expect(turn.events).toHaveLength(1);
    expect(response.status).toBe(status);
    expect(JSON.parse(new TextDecoder().decode(bytes))).toEqual(body);
    return;
  }
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  const end = api.endOf(inChunks(bytes, sizes), asksUsage);
  expect(end === 'failed').toBe(turn.failure !== undefined);
}

function complaintAbout(api: Api<never>, chunks: Uint8Array[], asksUsage: boolean): Complaint | undefined {
  try {
    api.endOf(chunks, asksUsage);
    return undefined;
  } catch (error) {
    if (error instanceof UngrammaticalStream) return error.about;
    throw error;
  }
}
