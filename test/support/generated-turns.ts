import fc from 'fast-check';
import type { Failure } from '../../src/spec/failures.ts';
import type { AnswerMessage, ContentBlock, JsonObject } from '../../src/spec/messages.ts';
import type { TurnEvent } from '../../src/spec/turn-events.ts';
import { FREE_TEXT_TOOL } from './free-text-calls.ts';

/** A turn whose answer is known beforehand: the message comes first, the events are derived from it. */
export interface GeneratedTurn {
  events: TurnEvent[];
  /** What the events before the end describe. */
  message: AnswerMessage;
  failure: Failure | undefined;
  /** The block whose input was cut by a limit; readers differ in what they make of it. */
  cutBlock: number | undefined;
  /** Before which events the model is silent. */
  silences: ReadonlySet<number>;
}

type DeltaEvent = Extract<TurnEvent, { type: 'content_block_delta' }>;

/** What would break a stream if it were not escaped, or a reader that cuts text between UTF-16 units. */
const NASTY = [
  '\n',
  '\n\n',
  '\r',
  '\r\n\r\n',
  '\u2028',
  '\u2029',
  '\u0085',
  '\ufeff',
  '\u0000',
  'data: {}',
  'data: [DONE]\n\n',
  'event: message_stop\ndata: {"type":"message_stop"}\n\n',
  '\n\nevent: error\n',
  ': comment\n',
  'id: 1\nretry: 5\n',
  '"}',
  '\\',
  '\\u0041',
  '👩‍👩‍👧',
  '𐍈',
  'ö漢\u0301',
  '\ud83d',
  '\udc69',
];
const words = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...NASTY) },
  { weight: 4, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
  { weight: 4, arbitrary: fc.string({ unit: 'grapheme', maxLength: 20 }) },
);
const text = fc.oneof(
  { weight: 60, arbitrary: fc.array(words, { maxLength: 6 }).map((parts) => parts.join('')) },
  {
    weight: 1,
    arbitrary: fc.tuple(words, fc.nat(2_000)).map(([word, count]) => `${word}ä👩‍👩‍👧 `.repeat(count)),
  },
);
/** JSON as it comes back from the wire: without -0. */
const json = fc.jsonValue({ maxDepth: 1 }).map((value): unknown => JSON.parse(JSON.stringify(value)));
const input = fc
  .oneof(
    {
      weight: 3,
      arbitrary: fc.dictionary(fc.oneof(words, fc.constantFrom('__proto__', 'type', 'input')), json, { maxKeys: 3 }),
    },
    // That of a tool with free text.
    { weight: 1, arbitrary: fc.record({ input: text }) },
  )
  .map((value): JsonObject => JSON.parse(JSON.stringify(value)));
const toolName = fc.constantFrom('read', 'Bash', 'mcp__x__y', FREE_TEXT_TOOL, '__proto__');

/** Where the deltas of one block are cut; also inside a surrogate pair. */
const cuts = fc.array(fc.integer({ min: 0, max: 1_000 }), { maxLength: 5 });

const block = fc.oneof(
  fc.record({
    block: fc.record(
      { type: fc.constant('text'), text, citations: fc.array(input, { minLength: 1, maxLength: 2 }) },
      { requiredKeys: ['type', 'text'] },
    ),
    cuts,
  }),
  fc.record({ block: fc.record({ type: fc.constant('thinking'), thinking: text, signature: words }), cuts }),
  fc.record({ block: fc.record({ type: fc.constant('redacted_thinking'), data: words }), cuts }),
  fc.record({ block: fc.record({ type: fc.constant('tool_use'), id: words, name: toolName, input }), cuts }),
  fc.record({ block: fc.record({ type: fc.constant('server_tool_use'), id: words, name: toolName, input }), cuts }),
  fc.record({ block: fc.record({ type: fc.constant('web_search_tool_result'), content: json }), cuts }),
);

const count = fc.nat(100_000);
const counted = fc.option(count);
const usage = fc.record(
  {
    output_tokens: count,
    input_tokens: counted,
    cache_creation_input_tokens: counted,
    cache_read_input_tokens: counted,
    server_tool_use: fc.option(fc.record({ web_search_requests: count })),
  },
  { requiredKeys: ['output_tokens'] },
);

const failure = fc.record<Failure>(
  {
    code: fc.constantFrom('upstream_error', 'upstream_cut', 'process_lost', 'internal'),
    status: fc.constantFrom(400, 401, 403, 404, 413, 429, 500, 529),
    type: fc.constantFrom('api_error', 'overloaded_error', 'invalid_request_error', 'rate_limit_error'),
    message: text,
    requestId: fc.constantFrom('req_1', 'req_2'),
    retryAfterSeconds: fc.nat(100),
  },
  { requiredKeys: ['code', 'status', 'type', 'message'] },
);

/** Whole answers, and those that fail before the first event or anywhere behind it. */
export const generatedTurn: fc.Arbitrary<GeneratedTurn> = fc
  .record({
    blocks: fc.array(block, { maxLength: 4 }),
    startUsage: usage,
    endUsage: usage,
    stopReason: fc.constantFrom('end_turn', 'stop_sequence', 'refusal', 'pause_turn', 'max_tokens'),
    failure: fc.option(fc.record({ failure, at: fc.oneof(fc.constant(0), fc.nat(40)) }), { nil: undefined, freq: 2 }),
    silences: fc.oneof(
      { weight: 9, arbitrary: fc.constant<number[]>([]) },
      { weight: 1, arbitrary: fc.array(fc.nat(6), { maxLength: 2 }) },
    ),
    inputCut: fc.nat(1_000),
  })
  .map(({ blocks, startUsage, endUsage, stopReason, failure, silences, inputCut }): GeneratedTurn => {
    const content = blocks.map((item): ContentBlock => ({ ...item.block }));
    const isCut = stopReason === 'max_tokens' && content.at(-1)?.type === 'tool_use';
    const isCall = !isCut && content.some(({ type }) => type === 'tool_use');
    const end = {
      stop_reason: isCall ? 'tool_use' : stopReason,
      stop_sequence: !isCall && stopReason === 'stop_sequence' ? 'END\n\n' : null,
    };
    const start: AnswerMessage = {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'claude-sonnet-5',
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: startUsage,
    };
    const message = { ...start, content, ...end, usage: { ...startUsage, ...withoutNull(endUsage) } };
    const whole: TurnEvent[] = [
      { type: 'message_start', message: start },
      ...blocks.flatMap(({ cuts }, index): TurnEvent[] => {
        const last = isCut && index === blocks.length - 1;
        return blockEvents(content[index] ?? { type: '' }, index, cuts, last ? inputCut : undefined);
      }),
      { type: 'message_delta', delta: end, usage: endUsage },
      { type: 'message_stop', answer: message },
    ];
    const cutBlock = isCut ? blocks.length - 1 : undefined;
    const events: TurnEvent[] = failure
      ? [...whole.slice(0, Math.min(failure.at, whole.length - 1)), { type: 'failure', failure: failure.failure }]
      : whole;
    return { events, message, failure: failure?.failure, cutBlock, silences: new Set(silences) };
  });

function blockEvents(block: ContentBlock, index: number, cuts: number[], inputCut: number | undefined): TurnEvent[] {
  const delta = (value: JsonObject): DeltaEvent => ({ type: 'content_block_delta', index, delta: value });
  const around = (content_block: ContentBlock, deltas: DeltaEvent[]): TurnEvent[] => [
    { type: 'content_block_start', index, content_block },
    ...deltas,
    { type: 'content_block_stop', index },
  ];
  switch (block.type) {
    case 'text': {
      const { citations, ...rest } = block;
      return around({ ...rest, text: '' }, [
        ...pieces(String(block.text), cuts).map((text) => delta({ type: 'text_delta', text })),
        ...((citations ?? []) as object[]).map((citation) => delta({ type: 'citations_delta', citation })),
      ]);
    }
    case 'thinking':
      return around({ ...block, thinking: '', signature: '' }, [
        ...pieces(String(block.thinking), cuts).map((thinking) => delta({ type: 'thinking_delta', thinking })),
        delta({ type: 'signature_delta', signature: block.signature }),
      ]);
    case 'tool_use':
    case 'server_tool_use': {
      const whole = JSON.stringify(block.input);
      const sent = inputCut === undefined ? whole : whole.slice(0, inputCut % whole.length);
      return around(
        { ...block, input: {} },
        ['', ...pieces(sent, cuts)].map((partial_json) => delta({ type: 'input_json_delta', partial_json })),
      );
    }
    default:
      return around(block, []);
  }
}

/** The text in pieces; cuts are thousandths of its length. */
function pieces(whole: string, cuts: number[]): string[] {
  const places = cuts.map((cut) => Math.floor((cut * whole.length) / 1_000)).sort((a, b) => a - b);
  return [...places, whole.length].map((place, index) => whole.slice(places[index - 1] ?? 0, place));
}

function withoutNull(value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== null));
}

/** Bytes in chunks of these sizes, over and over. */
export function inChunks(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; ) {
    const size = sizes[chunks.length % sizes.length] ?? 1;
    chunks.push(bytes.slice(start, start + size));
    start += size;
  }
  return chunks;
}

const tiny = fc.integer({ min: 1, max: 3 });
/** Sizes for {@link inChunks}, many of them smaller than a character. */
export const chunkSizes = fc.oneof(
  { weight: 1, arbitrary: fc.array(tiny, { minLength: 1, maxLength: 5 }) },
  {
    weight: 29,
    arbitrary: fc
      .tuple(fc.integer({ min: 1, max: 1_000 }), fc.array(tiny, { maxLength: 5 }))
      .map(([large, small]) => [large, ...small]),
  },
);
