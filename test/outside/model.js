// @ts-check

/** @typedef {import('../../scripted-model/script.ts').ModelRequest} ModelRequest */
/** @typedef {import('../../scripted-model/script.ts').Reply} Reply */

/**
 * A model that follows instructions as far as the suites need it: what they judge is the gateway, but some of them judge it
 * by whether the model was understood. It remembers long beginnings, as the API's prompt cache does.
 *
 * @returns {(request: ModelRequest) => Reply} a rule of the scripted model
 */
export function modelThatFollows() {
  /** @type {Set<string>} */
  const cached = new Set();
  return (request) => {
    const reply = thoughtThrough(withinLimits(replyTo(request), request), request);
    const beginning = JSON.stringify([request.system, request.messages[0]]).slice(0, CACHED_CHARACTERS);
    if (beginning.length < CACHED_CHARACTERS) return reply;
    const field = cached.has(beginning) ? 'cache_read_input_tokens' : 'cache_creation_input_tokens';
    cached.add(beginning);
    return { ...reply, usage: { ...reply.usage, [field]: CACHED_CHARACTERS / 4 } };
  };
}

/** How long a beginning must be to be cached. */
const CACHED_CHARACTERS = 4096;

/**
 * @param {ModelRequest} request
 * @returns {Reply}
 */
function replyTo(request) {
  const asked = newestText(request);
  const format = /** @type {any} */ (request.output_config)?.format;
  if (format) return text(JSON.stringify(exampleOf(format.schema)));
  const results = newestResults(request);
  const calls = toolCalls(request, asked, results !== undefined);
  if (calls.length > 0) return { content: calls };
  if (results) return text(`The tool says: ${results}`);
  return text(answerTo(asked, request));
}

/**
 * @param {ModelRequest} request
 * @param {string} asked
 * @param {boolean} hasResults
 * @returns {NonNullable<Reply['content']>}
 */
function toolCalls(request, asked, hasResults) {
  const choice = /** @type {any} */ (request.tool_choice);
  const tools = /** @type {any[]} */ (request.tools ?? []);
  const isForced = choice?.type === 'any' || choice?.type === 'tool';
  const isAsked = /weather|use the|call |tool|what time|book /i.test(asked) && !hasResults;
  if (tools.length === 0 || choice?.type === 'none' || !(isForced || isAsked)) return [];
  const places = [...asked.matchAll(/(?:Paris|Tokyo|San Francisco|Berlin|Miami)(?:, \w+)?/g)].map(([place]) => place);
  const number = Number(/-?\d+/.exec(asked)?.[0] ?? 1);
  const isTime = /what time/i.test(asked);
  const named =
    tools.find(({ name }) => name === choice?.name) ?? (isTime && tools.find(({ name }) => /time/.test(name)));
  const tool = named || tools[0];
  /** @type {Array<[any, string]>} */
  const wanted = /both tools/.test(asked)
    ? tools.map((each) => [each, places[0] ?? 'Tokyo'])
    : (places.length > 0 ? places : ['Paris']).map((place) => [tool, place]);
  return wanted.slice(0, choice?.disable_parallel_tool_use ? 1 : undefined).map(([{ name, input_schema }, place]) => ({
    type: 'tool_use',
    name,
    input: exampleOf(input_schema, place, number),
  }));
}

/**
 * A reply with the thoughts before it that the request asks for. Under a small limit there are only the thoughts.
 *
 * @param {Reply} reply
 * @param {ModelRequest} request
 * @returns {Reply}
 */
function thoughtThrough(reply, request) {
  const type = /** @type {any} */ (request.thinking)?.type;
  if (type !== 'enabled' && type !== 'adaptive') return reply;
  const thought = { type: /** @type {const} */ ('thinking'), thinking: 'Let me think.', signature: 'c2lnbmVk' };
  if (Number(request.max_tokens) < 64) return { content: [thought], stop_reason: 'max_tokens' };
  return { ...reply, content: [thought, ...(reply.content ?? [])] };
}

/**
 * A value that keeps to a JSON schema, as far as the suites' schemas go.
 *
 * @param {any} schema
 * @param {string} [word] for strings
 * @param {number} [number] for numbers
 * @returns {any}
 */
function exampleOf(schema, word = 'Alice', number = 7) {
  if (schema?.enum) return schema.enum[0];
  const type = schema?.type ?? 'object';
  if (type === 'string') return word;
  if (type === 'integer' || type === 'number') return number;
  if (type === 'boolean') return true;
  if (type === 'array') return [exampleOf(schema.items, word, number)];
  const { properties = {}, required = Object.keys(properties) } = schema ?? {};
  return Object.fromEntries(
    required.map((/** @type {string} */ name) => [name, exampleOf(properties[name], word, number)]),
  );
}

/**
 * @param {string} asked
 * @param {ModelRequest} request
 */
function answerTo(asked, request) {
  const everything = JSON.stringify(request.messages);
  const system = JSON.stringify(request.system ?? '');
  /** @param {RegExp} pattern @param {string} [text] */
  const find = (pattern, text = asked) => pattern.exec(text)?.[1];
  const exactly =
    /(?:literal text: |exact string: |say exactly: |this text exactly, nothing else: )(.*?)(?:\. Output|$| — )/i;
  const [, one, sign, other] = /(\d+) ([+*×]) (\d+)/.exec(asked) ?? [];
  const sum = sign === '+' ? Number(one) + Number(other) : Number(one) * Number(other);
  return (
    find(/exactly the word \\?"(\w+)\\?"/, system) ??
    find(exactly) ??
    (/my name/i.test(asked) ? find(/my name is (\w+)/i, everything) : undefined) ??
    (/launch code/.test(asked) ? find(/`([^`]+)`/, everything) : undefined) ??
    (/temperature there/.test(asked) ? find(/celsius\D+(\d+)/, everything) : undefined) ??
    (/Add 3/.test(asked) ? '7' : undefined) ??
    (sign ? String(sum) : undefined) ??
    (/count from/i.test(asked) ? Array.from({ length: 100 }, (_, index) => index + 1).join(' ') : undefined) ??
    (/capital of France/.test(everything)
      ? request.messages.at(-1)?.role === 'assistant'
        ? 'is.'
        : 'Paris'
      : undefined) ??
    (/country in europe/.test(asked) ? 'france' : undefined) ??
    find(/'(\w+)'/) ??
    `You said: ${asked.slice(0, 200) || '(nothing)'}`
  );
}

/**
 * The end that its own stop sequences and `max_tokens` give a reply; a token is a word here.
 *
 * @param {Reply} reply
 * @param {ModelRequest} request
 * @returns {Reply}
 */
function withinLimits(reply, request) {
  const block = reply.content?.[0];
  if (block?.type !== 'text') return reply;
  const stops = /** @type {string[]} */ (request.stop_sequences ?? []);
  const stop = stops.find((sequence) => block.text.includes(sequence));
  if (stop) {
    const content = [{ ...block, text: block.text.slice(0, block.text.indexOf(stop)) }];
    return { ...reply, content, stop_reason: 'stop_sequence', stop_sequence: stop };
  }
  const words = block.text.split(' ');
  const limit = Number(request.max_tokens);
  if (words.length <= limit) return reply;
  const content = [{ ...block, text: words.slice(0, limit).join(' ') }];
  return { ...reply, content, stop_reason: 'max_tokens', usage: { output_tokens: limit } };
}

/** @param {string} words @returns {Reply} */
function text(words) {
  return { content: [{ type: 'text', text: words }] };
}

/** @param {ModelRequest} request */
function newestBlocks(request) {
  const content = request.messages.at(-1)?.content ?? '';
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

/** @param {ModelRequest} request */
function newestText(request) {
  return newestBlocks(request)
    .flatMap((block) => (block.type === 'text' ? [String(block.text)] : []))
    .join('\n');
}

/**
 * The text of the tool results that end the newest message. Claude Code puts what a user says behind results into their message:
 * such words are what is to be answered.
 *
 * @param {ModelRequest} request
 * @returns {string | undefined}
 */
function newestResults(request) {
  const blocks = newestBlocks(request);
  if (blocks.at(-1)?.type !== 'tool_result') return undefined;
  const results = blocks.filter((block) => block.type === 'tool_result');
  return results.map((block) => JSON.stringify(block.content ?? '')).join('\n');
}
