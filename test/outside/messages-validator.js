// @ts-check
import { MessagesApi, user } from './messages-api.js';
import { tryCase } from './suite.js';

/** The commit whose list of cases this is. */
const COMMIT = '31b0acdd';

/**
 * The Messages suite of a validator that no registry carries: its list of cases, in our own words.
 *
 * @satisfies {import('./suite.js').Suite}
 */
export const messagesValidator = {
  name: 'messages-validator',
  title: `the Messages cases of responses-chat-messages-validator (${COMMIT})`,
  about: `npm does not carry it, so its cases stand here in our own words: the shape of an answer, the events of a stream, and
what a conversation must remember. OpenAI's two APIs are held by the other suites. A case that its own
list leaves out for this API is left out here too: JSON mode, \`previous_response_id\`, \`prompt_cache_key\`.`,
  /** @param {import('./suite.js').Stage} stage */
  async run({ url }) {
    const api = new MessagesApi(url);
    const results = [];
    for (const [name, check] of Object.entries(CASES)) results.push(await tryCase(name, () => check(api)));
    return results;
  },
};

/** What a case finds wrong. @typedef {string | false | undefined} Fault */

/** The text of an answer. @param {import('./messages-api.js').Message} message */
const textOf = ({ content }) => content.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('');

/** The calls of an answer. @param {import('./messages-api.js').Message} message */
const callsOf = ({ content }) => content.filter(({ type }) => type === 'tool_use');

/** @param {Fault[]} found @returns {string[]} */
const faults = (...found) => found.flatMap((fault) => (fault ? [fault] : []));

/** @param {import('./messages-api.js').Message} message @param {string} reason @returns {Fault} */
const stops = ({ stop_reason }, reason) => stop_reason !== reason && `stop_reason is ${stop_reason}, not ${reason}`;

/** @param {string} text @param {RegExp} words @returns {Fault} */
const says = (text, words) => !words.test(text) && `the answer does not say ${words}: ${text}`;

/** @param {import('./messages-api.js').Message} message @param {string} name @param {(input: any) => boolean} fits */
const calls = (message, name, fits) => {
  const found = callsOf(message);
  return faults(
    found.length === 0 && 'there is no tool_use',
    ...found.map((call) => call.name !== name && `the call is named ${call.name}`),
    ...found.map((call) => !fits(call.input) && `the input of the call is ${JSON.stringify(call.input)}`),
  );
};

/** @param {string} name @param {string} field @param {string} type */
const toolWith = (name, field, type) => ({
  name,
  description: `Takes a ${field}`,
  input_schema: { type: 'object', properties: { [field]: { type } }, required: [field], additionalProperties: false },
});
const WEATHER = toolWith('get_weather', 'location', 'string');
const COUNT = toolWith('set_count', 'count', 'integer');
const NOTHING = { name: 'noop', description: 'Returns nothing', input_schema: { type: 'object', properties: {} } };
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII=';

/** @param {...(string | object)} content */
const assistant = (...content) => ({
  role: 'assistant',
  content: content.map((block) => (typeof block === 'string' ? { type: 'text', text: block } : block)),
});
/** @param {string} id @param {string} name @param {object} input */
const use = (id, name, input) => ({ type: 'tool_use', id, name, input });
/** @param {string} id @param {string} content */
const result = (id, content) => ({ role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content }] });

const isPlace = (/** @type {any} */ input) => typeof input.location === 'string' && input.location !== '';
const WEATHER_IN_PARIS = "What's the weather in Paris, France?";
const PLANETS = 'Name the first three planets, separated by commas.';
const FILLER = 'The quick brown fox jumps over the lazy dog. ';

/** @type {Record<string, (api: MessagesApi) => Promise<string[]>>} */
const CASES = {
  'basic-message': async (api) => {
    const answer = await api.ask('Say hello in three words.');
    return faults(answer.content[0]?.type !== 'text' && 'the first block is no text', stops(answer, 'end_turn'));
  },
  'system-prompt': async (api) =>
    faults(stops(await api.ask('Say HELLO.', { system: 'You only answer in lowercase.' }), 'end_turn')),
  'streaming-message': async (api) => {
    const { events } = await api.stream('Count from 1 to 5.');
    const wanted = ['content_block_start', 'content_block_delta', 'content_block_stop', 'message_delta'];
    return faults(...wanted.map((type) => !events.some((event) => event.type === type) && `there is no ${type}`));
  },
  'multi-turn': async (api) =>
    faults(
      stops(
        await api.ask([user('My name is Alice.'), assistant('Hello Alice!'), user('What is my name?')]),
        'end_turn',
      ),
    ),
  'tool-use': async (api) => {
    const answer = await api.ask('What is the weather in San Francisco, CA right now?', { tools: [WEATHER] });
    return [...calls(answer, 'get_weather', isPlace), ...faults(stops(answer, 'tool_use'))];
  },
  'tool-result-followup': async (api) => {
    const history = [
      user('What is the weather in San Francisco, CA right now?'),
      assistant(use('toolu_compliance_1', 'get_weather', { location: 'San Francisco, CA' })),
      result('toolu_compliance_1', 'sunny, 22C'),
    ];
    const answer = await api.ask(history, { tools: [WEATHER] });
    return faults(textOf(answer) === '' && 'there is no text', stops(answer, 'end_turn'));
  },
  'image-input': async (api) => {
    const source = { type: 'base64', media_type: 'image/png', data: PIXEL };
    await api.ask([
      {
        role: 'user',
        content: [
          { type: 'image', source },
          { type: 'text', text: 'What is this?' },
        ],
      },
    ]);
    return [];
  },
  'streaming-tool-use': async (api) => {
    const { message, events } = await api.stream('What is the weather in San Francisco, CA?', { tools: [WEATHER] });
    const hasDelta = events.some(({ delta }) => delta?.type === 'input_json_delta');
    return [...calls(message, 'get_weather', isPlace), ...faults(!hasDelta && 'there is no input_json_delta')];
  },
  'tool-roundtrip-single': async (api) => {
    const first = await api.ask(WEATHER_IN_PARIS, { tools: [WEATHER], temperature: 0 });
    const [call] = callsOf(first);
    if (!call) return ['there is no tool_use'];
    const told = result(call.id, '{"temperature_celsius":17,"summary":"partly cloudy"}');
    const history = [user(WEATHER_IN_PARIS), assistant(call), told];
    return faults(says(textOf(await api.ask(history, { tools: [WEATHER], temperature: 0 })), /17|partly cloudy/));
  },
  'tool-roundtrip-args-valid-json': async (api) =>
    calls(await api.ask('Use the tool to get the weather in Paris.', { tools: [WEATHER] }), 'get_weather', isPlace),
  'tool-roundtrip-args-typed': async (api) =>
    calls(await api.ask('Call set_count with 42.', { tools: [COUNT] }), 'set_count', ({ count }) => count === 42),
  'tool-roundtrip-no-hallucinated-name': async (api) =>
    calls(await api.ask(WEATHER_IN_PARIS, { tools: [WEATHER], temperature: 0 }), 'get_weather', () => true),
  'tool-roundtrip-no-tool-when-not-needed': async (api) => {
    const answer = await api.ask('What is 2 + 2?', { tools: [WEATHER], temperature: 0 });
    return faults(callsOf(answer).length > 0 && 'there is a tool_use', says(textOf(answer), /4|four/));
  },
  'tool-parallel': async (api) => {
    const asked = 'Call get_weather in parallel for both Paris, France and Tokyo, Japan.';
    const answer = await api.ask(asked, { tools: [WEATHER], temperature: 0 });
    return [...calls(answer, 'get_weather', isPlace), ...faults(callsOf(answer).length < 2 && 'there is one call')];
  },
  'tool-sequential': async (api) => {
    const [call] = callsOf(await api.ask(`${WEATHER_IN_PARIS} Use the tool.`, { tools: [WEATHER] }));
    if (!call) return ['there is no tool_use'];
    const history = [
      user(`${WEATHER_IN_PARIS} Use the tool.`),
      assistant(call),
      result(call.id, '{"temperature_celsius":17}'),
      user('Now check Tokyo, Japan as well: use the tool again.'),
    ];
    return calls(await api.ask(history, { tools: [WEATHER] }), 'get_weather', isPlace);
  },
  'tool-streaming-args-reassembly': async (api) =>
    calls((await api.stream(WEATHER_IN_PARIS, { tools: [WEATHER] })).message, 'get_weather', isPlace),
  'parity-text-similarity': async (api) => {
    const [whole, streamed] = await Promise.all([api.ask(PLANETS), api.stream(PLANETS)]);
    return faults(textOf(whole) !== textOf(streamed.message) && 'a stream says something else');
  },
  'parity-finish-reason': async (api) => {
    const [whole, streamed] = await Promise.all([api.ask(PLANETS), api.stream(PLANETS)]);
    return faults(stops(streamed.message, whole.stop_reason));
  },
  'parity-usage-present': async (api) => {
    const [whole, { message }] = await Promise.all([api.ask(PLANETS), api.stream(PLANETS)]);
    const counted = [whole, message].every(({ usage }) => usage.input_tokens > 0 && usage.output_tokens > 0);
    return faults(!counted && 'a usage is 0');
  },
  'parity-tool-args': async (api) => {
    const [whole, { message }] = await Promise.all([
      api.ask('Call set_count with 7.', { tools: [COUNT] }),
      api.stream('Call set_count with 7.', { tools: [COUNT] }),
    ]);
    const isSame = JSON.stringify(callsOf(whole)[0]?.input) === JSON.stringify(callsOf(message)[0]?.input);
    return faults(!isSame && 'a stream has another input', callsOf(whole).length === 0 && 'there is no tool_use');
  },
  'cache-determinism': async (api) => {
    const [one, other] = await Promise.all([api.ask("Say 'banana'."), api.ask("Say 'banana'.")]);
    return faults(textOf(one) !== textOf(other) && 'two answers differ');
  },
  'cache-hit-reported': async (api) => {
    const prefix = FILLER.repeat(182);
    const [, second] = [await api.ask(`${prefix}What is 1 + 1?`), await api.ask(`${prefix}What is 2 + 2?`)];
    return faults(!(second?.usage.cache_read_input_tokens > 0) && 'the second answer read nothing from the cache');
  },
  'multiturn-name-recall': async (api) => {
    const history = [user('Hi! My name is Alice.'), assistant('Nice to meet you!'), user('What is my name?')];
    return faults(says(textOf(await api.ask(history)), /\balice\b/i));
  },
  'multiturn-tool-result-honored': async (api) => {
    const history = [
      user("What's the weather in Tokyo, Japan?"),
      assistant(use('call_compliance_test_22', 'get_weather', { location: 'Tokyo, Japan' })),
      result('call_compliance_test_22', '{"temperature_celsius":22,"summary":"sunny"}'),
      user("What's the temperature there in Celsius?"),
    ];
    return faults(says(textOf(await api.ask(history, { tools: [WEATHER] })), /22/));
  },
  'multiturn-system-prompt-persists': async (api) => {
    const system = 'Reply using only lowercase letters.';
    const turns = [user('Say hello.'), assistant('hello there!'), user('Now name a country in europe.')];
    return faults(says(textOf(await api.ask(turns, { system })), /^[^A-Z]+$/));
  },
  'limits-stop-sequence': async (api) => {
    const asked = 'Reply with the literal text: alpha STOPHERE beta. Output exactly that, nothing else.';
    return faults(says(textOf(await api.ask(asked, { stop_sequences: ['STOPHERE'] })), /^(?!.*(STOPHERE|beta))/s));
  },
  'limits-max-tokens': async (api) => {
    const answer = await api.ask('Count from 1 to 30.', { max_tokens: 8 });
    const { output_tokens } = answer.usage;
    return faults(output_tokens > 12 && `it has ${output_tokens} tokens`, stops(answer, 'max_tokens'));
  },
  'limits-unicode-roundtrip': async (api) =>
    faults(
      says(textOf(await api.ask('Reply with the exact string: héllo 你好 🦊 — nothing else.')), /^héllo 你好 🦊$/),
    ),
  'limits-tool-arg-type-fidelity': async (api) =>
    calls(await api.ask('Call set_count with 99.', { tools: [COUNT] }), 'set_count', ({ count }) => count === 99),
  'limits-empty-content-coherent': async (api) => {
    const call = use('call_compliance_test_empty', 'noop', {});
    const history = [
      user("Call noop, then say 'done'."),
      assistant(call),
      result(call.id, ''),
      user("Now say 'done'."),
    ];
    return faults(says(textOf(await api.ask(history, { tools: [NOTHING] })), /done/i));
  },
  'long-context-needle': async (api) => {
    const half = FILLER.repeat(182);
    const asked = `${half}The launch code is \`quasar-471\`. ${half}\n\nWhat is the launch code?`;
    return faults(says(textOf(await api.ask(asked)), /quasar-471/));
  },
  'concurrency-isolation': async (api) => {
    const names = ['Alice', 'Bob', 'Carol', 'Dave'];
    const told = await Promise.all(
      names.map((name) =>
        api.ask([user(`Hi! My name is ${name}.`), assistant(`Hello, ${name}!`), user('What is my name?')]),
      ),
    );
    return faults(...told.map((answer, index) => says(textOf(answer), new RegExp(`^${names[index]}$`))));
  },
  'usage-no-reasoning-leak': async (api) =>
    faults(
      says(textOf(await api.ask("What's 17 × 23? Reply with just the number.")), /^(?!.*<\/?(think|reasoning)>)/s),
    ),
};
