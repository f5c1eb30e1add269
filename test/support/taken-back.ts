import fc from 'fast-check';
import { expect } from 'vitest';
import type { Reply, ScriptedBlock } from '../../scripted-model/script.ts';
import { asTheModelSees, type Block, type Seen, type WireMessage } from './as-the-model-sees.ts';
import { postStream } from './clients.ts';
import { foldMessage } from './fold-message.ts';

/** What a gateway hands out, it takes back: any answer of the scripted model, sent back as clients send it. */

const words = fc.constantFrom('x', 'and more', ' \n', '', '(no content)', '<b>', '👩‍👩‍👧');
const input = fc.constantFrom<object>({}, { path: 'a', b: [null, { c: 1 }] });
const citation = fc.constantFrom<object>(
  { type: 'web_search_result_location', url: 'u', title: null, encrypted_index: 'e', cited_text: 'c' },
  { type: 'char_location', cited_text: 'x', document_index: 0, document_title: null },
);

/** A block, or a server's call with its result. What has an id of the server's takes it from its place in the answer. */
type Make = (place: number) => ScriptedBlock[];

const making: Array<[weight: number, arbitrary: fc.Arbitrary<Make>]> = [
  [
    4,
    words.map(
      (text): Make =>
        () => [{ type: 'text', text }],
    ),
  ],
  [
    1,
    fc.option(fc.array(citation, { maxLength: 2 })).map(
      (citations): Make =>
        () => [{ type: 'text', text: 'cited', citations }],
    ),
  ],
  [
    4,
    words.map(
      (thinking): Make =>
        () => [{ type: 'thinking', thinking, signature: `s${thinking.length}+/=` }],
    ),
  ],
  [1, fc.constant<Make>(() => [{ type: 'redacted_thinking', data: 'd' }])],
  [
    5,
    fc
      .tuple(fc.constantFrom('read', 'Bash', 'undeclared'), input, fc.constantFrom({}, { caller: { type: 'direct' } }))
      .map(
        ([name, value, rest]): Make =>
          () => [{ type: 'tool_use', name, input: value, ...rest }],
      ),
  ],
  [
    2,
    fc.tuple(fc.constantFrom('web_search', 'advisor', 'code_execution'), input, fc.boolean()).map(
      ([name, value, isAnswered]): Make =>
        (place) => {
          const id = `srvtoolu_${place}`;
          const call: ScriptedBlock = { type: 'server_tool_use', id, name, input: value };
          return isAnswered ? [call, { type: `${name}_tool_result`, tool_use_id: id, content: [{ a: null }] }] : [call];
        },
    ),
  ],
  [
    1,
    fc.constant<Make>((place) => [
      { type: 'mcp_tool_use', id: `mcptoolu_${place}`, name: 'x', server_name: 's', input: {} },
      { type: 'mcp_tool_result', tool_use_id: `mcptoolu_${place}`, is_error: false, content: [] },
    ]),
  ],
  [1, fc.constant<Make>(() => [{ type: 'future_block', a: { b: null } }])],
];
const blocks = fc.oneof(...making.map(([weight, arbitrary]) => ({ weight, arbitrary })));

/** An answer, and in which ways its client sends it back. */
export interface Returned {
  reply: Reply;
  stream: boolean;
  /** As a typed client dumps it, with null for what is not there. */
  isDumped: boolean;
}

export const returned: fc.Arbitrary<Returned> = fc.record({
  reply: fc.record(
    {
      content: fc.array(blocks, { maxLength: 6 }).map((makes) => makes.flatMap((make, place) => make(place))),
      stop_reason: fc.constantFrom('max_tokens', 'pause_turn', 'refusal'),
    },
    { requiredKeys: ['content'] },
  ),
  stream: fc.boolean(),
  isDumped: fc.boolean(),
});

const call = (rest: object = {}): ScriptedBlock => ({ type: 'tool_use', name: 'read', input: {}, ...rest });
const text = (text: string): ScriptedBlock => ({ type: 'text', text });
const thinking = (thinking: string): ScriptedBlock => ({ type: 'thinking', thinking, signature: 'c2ln' });

/** Answers that were refused for ever when they came back, or cost each turn a replay. */
export const EXAMPLES: Array<[Returned]> = [
  [{ reply: { content: [call(), text('and more'), call()] }, stream: true, isDumped: false }],
  [{ reply: { content: [thinking('one'), call(), thinking('two'), call()] }, stream: true, isDumped: false }],
  [{ reply: { content: [text('one'), call({ caller: { type: 'direct' } })] }, stream: false, isDumped: false }],
  [{ reply: { content: [text('an answer')] }, stream: false, isDumped: true }],
];

const DUMPED: Record<string, object> = {
  text: { citations: null, parsed_output: null },
  tool_use: { caller: null, cache_control: null },
  server_tool_use: { caller: null },
};

/** The history after an answer: the answer as its client sends it back, and results for its calls or else words. */
function afterAnswer(history: WireMessage[], content: Block[], { isDumped }: Returned): WireMessage[] {
  const calls = content.filter(({ type }) => type === 'tool_use');
  const next: Block[] = calls.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: `result of ${id}` }));
  return [
    ...history,
    { role: 'assistant', content: isDumped ? content.map((block) => ({ ...DUMPED[block.type], ...block })) : content },
    { role: 'user', content: next.length > 0 ? next : 'go on' },
  ];
}

/** What a response has declared. */
interface Declared {
  ignored: string[];
  converted: string[];
}

async function declaredBy(url: string, body: object, { headers }: Response): Promise<Declared> {
  const list = (name: string) => headers.get(name)?.split(', ') ?? [];
  const ignored = list('isthmus-ignored');
  const converted = list('isthmus-converted');
  if (ignored.length === 0) return { ignored, converted };
  // The header sums up many of a kind; the refusal of strict mode names them.
  const refused = await post(url, body, { 'isthmus-strict': '1' });
  const { error } = (await refused.json()) as { error: { message: string } };
  expect([refused.status, refused.headers.get('isthmus-error')]).toEqual([400, 'field_ignored']);
  return { ignored: error.message.match(/messages\.[\w.]*\w/g) ?? [], converted };
}

/** Holds that the model saw these messages, or what was declared of them, and that nothing was declared in vain. */
function expectSameOrDeclared(
  seen: readonly WireMessage[],
  sent: readonly WireMessage[],
  { ignored, converted }: Declared,
): void {
  const isIgnored = (path: string) => ignored.includes(path);
  const left = sent.flatMap(({ role, content }, at): WireMessage[] => {
    if (isIgnored(`messages.${at}`)) return [];
    if (typeof content === 'string') return [{ role, content }];
    const kept = content.flatMap((block, index) => {
      const path = `messages.${at}.content.${index}`;
      if (isIgnored(path)) return [];
      const citations = isIgnored(`${path}.citations`)
        ? {
            citations: ((block.citations ?? []) as Block[]).filter(({ type }) => type === 'web_search_result_location'),
          }
        : {};
      const fields = Object.entries({ ...block, ...citations }).filter(
        ([field]) => field in citations || !isIgnored(`${path}.${field}`),
      );
      return [Object.fromEntries(fields) as Block];
    });
    return [{ role, content: kept }];
  });
  const expected = compared(left);
  const found = compared(seen);
  if (converted.length === 0) expect(found).toEqual(expected);
  else {
    // The test engine leaves an empty text alone.
    if (!JSON.stringify(expected).includes('"text":""')) expect(found).not.toEqual(expected);
    expect(found.map(asConverted)).toEqual(expected.map(asConverted));
  }
}

/** As the model sees them, but for fields that say nothing. */
function compared(messages: readonly WireMessage[]): Seen[] {
  return asTheModelSees(messages, { withThinking: true }).map(({ role, content }) => ({
    role,
    content: content.map(saying),
  }));
}

function saying({ content, ...fields }: Block): Block {
  const isNothing = (value: unknown) => value === null || (Array.isArray(value) && value.length === 0);
  const said = Object.entries(fields).filter(([, value]) => !isNothing(value));
  return { ...(Object.fromEntries(said) as Block), ...(content === undefined ? {} : { content }) };
}

/** A message that was declared as converted: calls come last, and an empty text between thinking may have Claude Code's words. */
function asConverted({ role, content }: Seen): Seen {
  const isCall = ({ type }: Block) => type === 'tool_use';
  const worded = content.map((block) => (block.text === '[Empty text removed]' ? { ...block, text: '' } : block));
  return { role, content: [...worded.filter((block) => !isCall(block)), ...worded.filter(isCall)] };
}

/** A gateway and its model, for {@link holdTakenBack}. */
export interface House {
  url: string;
  /** What the model answers from now on, in turn. */
  use(replies: Reply[]): void;
  /** The messages of each call of the model since then. */
  calls(): WireMessage[][];
}

const TOOLS = ['read', 'Bash'].map((name) => ({ name, input_schema: { type: 'object' } }));
/** How often a cold replay was asked for. */
let asked = 0;
const SAID: Reply = { content: [{ type: 'text', text: 'and so on' }] };

/** Gets an answer, sends it back to the live process, by a cold replay and by a rewind, then goes on from it. */
export async function holdTakenBack(house: House, given: Returned): Promise<void> {
  house.use([given.reply, SAID]);
  const first: WireMessage[] = [{ role: 'user', content: 'go' }];
  const { content } = await ask(house.url, first, given.stream);
  const second = afterAnswer(first, content, given);
  const live = await ask(house.url, second, given.stream);
  // No process has this system prompt.
  const replayed = await ask(house.url, second, !given.stream, { system: `Of ${++asked}.` });
  const rewound = await ask(house.url, second, given.stream, { max_tokens: 101 });
  const third = [...second, { role: 'assistant', content: live.content }, { role: 'user', content: 'more' }];
  const further = await ask(house.url, third, given.stream);

  expect([live.path, rewound.path, replayed.path, further.path]).toEqual([
    wayOf(given.reply),
    expect.stringMatching(/rewind|replay|start/),
    expect.stringMatching(/replay|start/),
    expect.stringMatching(/continue|start/),
  ]);
  const [, byLive, byReplay, byRewind, byFurther] = house.calls();
  expect(house.calls()).toHaveLength(5);
  expectSameOrDeclared(byReplay ?? [], second, replayed.declared);
  for (const other of [byLive, byRewind]) expect(compared(other ?? [])).toEqual(compared(byReplay ?? []));
  for (const { declared } of [live, rewound]) expect(declared).toEqual(replayed.declared);
  expectSameOrDeclared(byFurther ?? [], third, further.declared);
}

/** The way of the turn after an answer. */
function wayOf({ content = [], stop_reason }: Reply): unknown {
  const calls = content.filter((block) => block.type === 'tool_use');
  const texts = content.flatMap((block) => (block.type === 'text' && block.text.trim() !== '' ? [block.text] : []));
  // Claude Code's own placeholder: the answer counts if it says something else, too.
  if (calls.length === 0 && texts.length > 0 && texts.every((text) => text === '(no content)'))
    return expect.any(String);
  const takesMore =
    calls.length > 0 ? calls.every(({ name }) => TOOLS.some((tool) => tool.name === name)) : texts.length > 0;
  return stop_reason === undefined && takesMore ? 'continue' : expect.stringMatching(/rewind|replay|start/);
}

async function ask(url: string, messages: WireMessage[], stream: boolean, rest: object = {}) {
  const body = { model: 'claude-sonnet-5', max_tokens: 100, tools: TOOLS, messages, ...rest };
  const { response, content } = stream
    ? await postStream(url, body).then(({ response, events }) => ({ response, content: foldMessage(events).content }))
    : await postWhole(url, body);
  return { path: response.headers.get('isthmus-path'), content, declared: await declaredBy(url, body, response) };
}

async function postWhole(url: string, body: object): Promise<{ response: Response; content: Block[] }> {
  const response = await post(url, body);
  const answer = (await response.json()) as { content: Block[] };
  if (response.status !== 200) throw new Error(`${response.status} ${JSON.stringify(answer)}`);
  return { response, content: answer.content };
}

function post(url: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}
