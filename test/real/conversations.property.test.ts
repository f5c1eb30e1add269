import type Anthropic from '@anthropic-ai/sdk';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Reply, ScriptedBlock } from '../../scripted-model/script.ts';
import { type RecordedRequest, type ScriptedModel, startScriptedModel } from '../../scripted-model/testing.ts';
import { asTheModelSees, type Block, messageBytes, type WireMessage } from '../support/as-the-model-sees.ts';
import { sdkClient } from '../support/clients.ts';
import { checkProperty, depthOf } from '../support/depth.ts';
import { startGateway, type TestGateway, until } from '../support/gateway.ts';

/**
 * Random conversations through the whole gateway: whatever the client does to its messages, the model sees exactly
 * them, and is called once a turn. A small budget makes evictions part of every run.
 */

let model: ScriptedModel;
let gateway: TestGateway;
let client: Anthropic;
const planned = new Map<string, Reply>();
const paths = new Set<string>();
let marks = 0;

beforeAll(async () => {
  model = await startScriptedModel({
    script: [
      (request) => {
        const mark = JSON.stringify(request.messages.at(-1))
          .match(/mark-\d+-/g)
          ?.at(-1);
        return mark === undefined ? undefined : planned.get(mark);
      },
    ],
  });
});

afterAll(() => model?.close());

const NASTY = [
  '/compact',
  '/help me',
  '!ls',
  '@package.json look',
  '# heading',
  '<system-reminder>be brief</system-reminder>',
  '  leading and trailing  \n',
  '\n\nnewlines\n\n',
  'tab\tand \u0007 bell',
  'zero\u200bwidth \u2028 separators',
  '👩‍👩‍👧 naïve 漢字',
  '[Request interrupted by user]',
  '(no content)',
  'Continue from where you left off.',
  '{"json": true}',
  '"quotes" \\ backslash',
];
const text = fc.oneof(
  fc.constantFrom(...NASTY),
  fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
    .filter((value) => value.trim() !== '' && !/\p{Surrogate}/u.test(value)),
);
const jsonInput = fc.dictionary(
  fc.string({ minLength: 1, maxLength: 8 }).filter((key) => key !== '__proto__'),
  fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.array(fc.string(), { maxLength: 2 })),
  { maxKeys: 3 },
);

const answer = fc.record({
  thinking: fc.option(text, { nil: undefined }),
  // Claude Code's own placeholder, see docs/limits.md.
  text: text.filter((value) => value !== '(no content)'),
  calls: fc.array(fc.record({ name: fc.constantFrom('read', 'Bash', 'mcp__x__y'), input: jsonInput }), {
    maxLength: 3,
  }),
});
type Answer = typeof answer extends fc.Arbitrary<infer Value> ? Value : never;

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PIXEL } } as const;

const resultContent = fc.oneof(
  { weight: 6, arbitrary: text.map((value) => ({ content: value })) },
  {
    weight: 2,
    arbitrary: fc.array(text, { minLength: 1, maxLength: 3 }).map((values) => ({ content: values.map(textBlock) })),
  },
  { weight: 1, arbitrary: fc.constant({ content: '' }) },
  { weight: 1, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: text.map((value) => ({ content: value, is_error: true })) },
  { weight: 1, arbitrary: fc.tuple(text, text).map((values) => ({ content: values.map(textBlock), is_error: true })) },
  { weight: 1, arbitrary: text.map((value) => ({ content: [textBlock(value), image] })) },
  { weight: 1, arbitrary: fc.constant({ content: 'long '.repeat(12_000) }) },
);

const userContent = fc.oneof(
  { weight: 5, arbitrary: text.map((value): string | Block[] => value) },
  {
    weight: 3,
    arbitrary: fc.array(text, { minLength: 1, maxLength: 3 }).map((values): string | Block[] => values.map(textBlock)),
  },
  { weight: 1, arbitrary: text.map((value): string | Block[] => [image, textBlock(value)]) },
);

const step = fc.record({
  kind: fc.oneof(
    { weight: 8, arbitrary: fc.constant('next' as const) },
    { weight: 1, arbitrary: fc.constant('undo' as const) },
    { weight: 1, arbitrary: fc.constant('edit' as const) },
    { weight: 1, arbitrary: fc.constant('fork' as const) },
    { weight: 1, arbitrary: fc.constant('compact' as const) },
    { weight: 1, arbitrary: fc.constant('rename tool' as const) },
    { weight: 1, arbitrary: fc.constant('drop block' as const) },
    { weight: 1, arbitrary: fc.constant('drop thinking' as const) },
    { weight: 1, arbitrary: fc.constant('leave' as const) },
    { weight: 1, arbitrary: fc.constant('new' as const) },
  ),
  user: userContent,
  results: fc.array(resultContent, { minLength: 3, maxLength: 3 }),
  beside: fc.option(text, { nil: undefined, freq: 6 }),
  answer,
  stream: fc.boolean(),
  maxTokens: fc.constantFrom(500, 500, 500, 900),
  cacheControl: fc.boolean(),
});
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

const TOOLS = ['read', 'Bash', 'mcp__x__y'].map((name) => ({
  name,
  description: `The tool ${name}…\n\n① ${'It is described at length. '.repeat(200)}`,
  input_schema: {
    type: 'object',
    properties: { a: { anyOf: [{ type: 'string' }, { $ref: '#/$defs/b' }] } },
    $defs: { b: { type: 'null' } },
  },
}));

/** Each of another generation, to which the SDK would add other things of its own. */
/** What the model's API is told of thinking when the client says nothing, for each model that is asked. */
const THINKING_WHEN_ABSENT: Record<string, object | undefined> = {
  'claude-sonnet-5': { type: 'disabled' },
  'claude-opus-5-5': { type: 'adaptive' },
  'claude-haiku-4-5': { type: 'disabled' },
  'claude-of-the-future': undefined,
};
const MODELS = Object.keys(THINKING_WHEN_ABSENT);

/** One client with one conversation. */
interface Conversation {
  model: string;
  system: string;
  messages: WireMessage[];
  /** What the model saw with the last turn, if the client has only added to it since. */
  prefix: { system: string; messages: WireMessage[] } | undefined;
  /** Live processes still have thinking that the client has dropped: the one permitted difference from a replay. */
  hasDroppedThinking: boolean;
}

afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.log(`The gateway's last words:\n${gateway.output().slice(-4000)}`);
});

const CREDENTIALS = {
  'a key': { env: {}, depth: 'conversations', tags: ['quick', 'soak'] },
  'a token': {
    env: { ANTHROPIC_API_KEY: '', CLAUDE_CODE_OAUTH_TOKEN: 'dummy' },
    depth: 'conversationsInFullMode',
    tags: ['soak'],
  },
} as const;

describe.each(Object.entries(CREDENTIALS))('with %s', (_name, credential) => {
  beforeAll(async () => {
    gateway = await startGateway(model.url, ['--max-processes', '4', '--spares', '1'], { env: credential.env });
    client = sdkClient(gateway.url);
    paths.clear();
  });
  afterAll(() => gateway?.stop());

  test('the model sees exactly the client’s messages, once a turn', { tags: [...credential.tags] }, async () => {
    const depth = depthOf(credential.depth);
    await checkProperty(
      depth,
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 9 }), async (steps) => {
        if (depth.isOver()) return;
        let conversation = fresh();
        for (const current of steps) conversation = await play(conversation, current);
      }),
      { endOnFailure: true },
    );
    expect([...paths]).toEqual(expect.arrayContaining(['continue', 'replay', 'start']));
    expect(gateway.output()).not.toContain('announced');
  });
});

function fresh(): Conversation {
  const model = MODELS[marks % MODELS.length] ?? '';
  return { model, system: `You are number ${marks}.`, messages: [], prefix: undefined, hasDroppedThinking: false };
}

async function play(before: Conversation, current: Step): Promise<Conversation> {
  const conversation = change(before, current);
  const mark = `mark-${++marks}-`;
  const messages = [...conversation.messages, ...newestTurn(conversation.messages, current, mark)];
  const next = { ...conversation, messages };
  planned.set(mark, toReply(current.answer));
  if (current.kind === 'leave') return leave(conversation, next, current, mark);
  if (current.kind === 'fork') {
    const [one] = await Promise.all([takeTurn(next, current, mark), takeTurn(next, current, mark)]);
    expect(requestsWith(mark)).toHaveLength(2);
    return one;
  }
  const after = await takeTurn(next, current, mark);
  expect(requestsWith(mark)).toHaveLength(1);
  return after;
}

/** What clients do to their histories before the next turn. */
function change(conversation: Conversation, { kind }: Step): Conversation {
  const { messages } = conversation;
  const altered = (changed: WireMessage[]): Conversation => ({ ...conversation, messages: changed, prefix: undefined });
  switch (kind) {
    case 'new':
      return fresh();
    case 'undo':
      return altered(messages.slice(0, Math.max(0, 2 * Math.floor(messages.length / 4))));
    case 'edit':
      return altered(
        messages.map((message, index) =>
          index === 0 && message.role === 'user' ? { role: 'user', content: `edited ${marks}` } : message,
        ),
      );
    case 'compact':
      return { ...fresh(), system: 'You sum up.' };
    case 'rename tool':
      return altered(
        mapBlocks(messages, (block) => (block.type === 'tool_use' ? [{ ...block, name: 'invalid' }] : [block])),
      );
    case 'drop block':
      return altered(
        mapBlocks(messages, (block, siblings) =>
          block.type === 'text' && siblings.some((other) => other.type === 'tool_use') ? [] : [block],
        ),
      );
    case 'drop thinking':
      return {
        ...altered(mapBlocks(messages, (block) => (block.type === 'thinking' ? [] : [block]))),
        hasDroppedThinking: true,
      };
    default:
      return conversation;
  }
}

function mapBlocks(messages: WireMessage[], map: (block: Block, siblings: Block[]) => Block[]): WireMessage[] {
  return messages.map(({ role, content }) => {
    if (typeof content === 'string' || role !== 'assistant') return { role, content };
    return { role, content: content.flatMap((block) => map(block, content)) };
  });
}

/** The user's next message: results for the calls that wait, or words. */
function newestTurn(messages: WireMessage[], current: Step, mark: string): WireMessage[] {
  const last = messages.at(-1);
  const calls = typeof last?.content === 'object' ? last.content.filter((block) => block.type === 'tool_use') : [];
  if (calls.length > 0) {
    const results = calls.map((call, index): Block => {
      const result: { content?: string | Block[]; is_error?: boolean } = current.results[index] ?? {};
      const content =
        index === 0 && typeof result.content === 'string' && result.content !== ''
          ? `${result.content}${mark}`
          : result.content;
      return { type: 'tool_result', tool_use_id: call.id, ...result, ...(content === undefined ? {} : { content }) };
    });
    const isMarked = JSON.stringify(results).includes(mark);
    const beside = current.beside ?? (isMarked ? undefined : 'and');
    return [{ role: 'user', content: [...results, ...(beside === undefined ? [] : [textBlock(`${beside}${mark}`)])] }];
  }
  if (typeof current.user === 'string') return [{ role: 'user', content: `${mark}${current.user}` }];
  const blocks = [...current.user, textBlock(mark)];
  if (!current.cacheControl) return [{ role: 'user', content: blocks }];
  // Two user messages in a row, the second with a cache breakpoint.
  return [
    { role: 'user', content: current.user },
    { role: 'user', content: [{ ...textBlock(mark), cache_control: { type: 'ephemeral' } }] },
  ];
}

async function takeTurn(conversation: Conversation, current: Step, mark: string): Promise<Conversation> {
  const { data, response } = await send(conversation, current);
  const request = await answered(mark, data.id);
  const path = response.headers.get('isthmus-path') ?? '';
  paths.add(path);
  check(conversation, request, path, current);
  expect(data.content.map(plain)).toEqual(asAnswered(current.answer, data.content));
  expect(data.usage.input_tokens).toBeGreaterThan(0);
  return {
    ...conversation,
    messages: [...conversation.messages, { role: 'assistant', content: data.content.map(plain) }],
    prefix: { system: clientSystem(request), messages: request.body.messages as WireMessage[] },
  };
}

function send(conversation: Conversation, current: Step) {
  const body = {
    model: conversation.model,
    max_tokens: current.maxTokens,
    system: [{ type: 'text', text: conversation.system }],
    messages: conversation.messages,
    tools: TOOLS,
  } as unknown as Anthropic.MessageCreateParamsNonStreaming;
  if (!current.stream) return client.messages.create(body).withResponse();
  const stream = client.messages.stream(body);
  return stream.withResponse().then(async ({ response }) => ({ data: await stream.finalMessage(), response }));
}

function check(conversation: Conversation, request: RecordedRequest, path: string, current: Step): void {
  // A rewind keeps what the process holds, too.
  const withThinking = path !== 'continue' && !(path === 'rewind' && conversation.hasDroppedThinking);
  const seen = asTheModelSees(request.body.messages as WireMessage[], { withThinking });
  expect(seen).toEqual(asTheModelSees(conversation.messages, { withThinking }));
  expect(clientSystem(request)).toBe(conversation.system);
  expect(request.body.tools).toEqual(TOOLS);
  expect(request.body.model).toBe(conversation.model);
  expect(request.body).not.toHaveProperty('output_config');
  expect(request.body).not.toHaveProperty('context_management');
  expect(request.body.max_tokens).toBe(current.maxTokens);
  expect(request.body.thinking).toEqual(THINKING_WHEN_ABSENT[request.body.model]);
  if (conversation.prefix) {
    expect(clientSystem(request)).toBe(conversation.prefix.system);
    const options = { withThinking: !conversation.hasDroppedThinking };
    const before = messageBytes(conversation.prefix.messages, options);
    const now = messageBytes(request.body.messages as WireMessage[], options);
    expect(now.slice(0, before.length)).toEqual(before);
  }
}

/** The client goes away in the middle of the answer and goes on later from where it was. */
async function leave(before: Conversation, next: Conversation, current: Step, mark: string): Promise<Conversation> {
  planned.set(mark, { ...toReply(current.answer), gap_ms: 200 });
  const stream = client.messages.stream({
    model: next.model,
    max_tokens: current.maxTokens,
    system: next.system,
    messages: next.messages,
    tools: TOOLS,
  } as unknown as Anthropic.MessageCreateParamsStreaming);
  stream.on('error', () => undefined);
  stream.on('abort', () => undefined);
  await until('the model is called', () => requestsWith(mark).length > 0);
  stream.abort();
  await until('the upstream call has ended', () => requestsWith(mark).every((request) => request.outcome !== 'open'));
  expect(requestsWith(mark)).toHaveLength(1);
  return { ...before, prefix: undefined };
}

function requestsWith(mark: string): RecordedRequest[] {
  return model.requests.filter((request) => JSON.stringify(request.body.messages.at(-1)).includes(mark));
}

async function answered(mark: string, id: string): Promise<RecordedRequest> {
  const number = Number(/\d+$/.exec(id)?.[0]);
  const request = model.requests[number - 1];
  if (!request || !JSON.stringify(request.body.messages.at(-1)).includes(mark)) throw new Error(`no request for ${id}`);
  return request;
}

function clientSystem(request: RecordedRequest): string {
  const system = request.body.system;
  return Array.isArray(system) ? String(system.at(-1)?.text) : '';
}

function toReply({ thinking, text: words, calls }: Answer): Reply {
  const content: ScriptedBlock[] = [];
  if (thinking !== undefined) content.push({ type: 'thinking', thinking, signature: `signature of ${thinking}` });
  content.push({ type: 'text', text: words });
  for (const { name, input } of calls) content.push({ type: 'tool_use', name, input });
  return { content, delta_length: 3 };
}

function asAnswered(given: Answer, content: unknown[]): Block[] {
  const ids = content
    .filter((block): block is { id: string } => (block as Block).type === 'tool_use')
    .map(({ id }) => id);
  let call = 0;
  return (toReply(given).content ?? []).map((block) =>
    block.type === 'tool_use' ? { ...block, id: ids[call++] } : ({ ...block } as Block),
  );
}

/** A block as plain JSON, without what the official SDK adds. */
function plain(block: object): Block {
  const { parsed: _, parsed_output: __, ...rest } = JSON.parse(JSON.stringify(block));
  return rest as Block;
}

function textBlock(value: string): Block {
  return { type: 'text', text: value };
}
