import type { ContentBlock, ModelRequest } from '../../scripted-model/script.ts';
import type { Exchange } from './recording-proxy.ts';

/*
 * What the model has to see of a request of OpenAI's APIs: texts, images, calls and results. Written apart from the gateway, and for
 * what the clients here send.
 */

// biome-ignore lint/suspicious/noExplicitAny: a client may send anything
type Sent = any;

const CALLS = ['function_call', 'custom_tool_call'];
const RESULTS = ['function_call_output', 'custom_tool_call_output'];
/** The schema of a tool that takes free text. */
const FREE_TEXT = {
  type: 'object',
  properties: { input: { type: 'string' } },
  required: ['input'],
  additionalProperties: false,
};

const GO_ON = { type: 'text', text: 'Your last answer broke off behind these words. Go on from there.' };

/** Whether a request speaks one of OpenAI's APIs. */
export function speaksOpenAi({ path }: Exchange): boolean {
  return path.endsWith('/chat/completions') || path.endsWith('/responses');
}

/**
 * A request as the Messages API would have it: its conversation, system prompt and tools, but for those that were declared as left out.
 *
 * @param earlier what its client has asked before, whose answers it may refer to
 */
export function sentToModel({ path, body, answerHeaders }: Exchange, earlier: readonly Exchange[]): ModelRequest {
  const leftOut = new Set(String(answerHeaders['isthmus-ignored'] ?? '').split(/, ?/));
  const sent: Sent = body;
  const items = path.endsWith('/responses')
    ? [{ role: 'system', content: sent.instructions ?? [] }, ...wholeInput(sent, earlier)]
    : sent.messages.flatMap(itemsOfMessage);
  const isSystem = ({ role }: Sent) => role === 'system' || role === 'developer';
  const beginning = items.findIndex((item: Sent) => !isSystem(item));
  const messages: ModelRequest['messages'] = [];
  for (const item of items.slice(beginning)) {
    const blocks = isSystem(item) ? blocksOf(item).map(asReminder) : blocksOf(item);
    const role = item.role === 'assistant' || CALLS.includes(item.type) ? 'assistant' : 'user';
    const last = messages.at(-1);
    if (last?.role === role) (last.content as ContentBlock[]).push(...blocks);
    else if (blocks.length > 0) messages.push({ role, content: blocks });
  }
  // Newer models refuse an input that ends with words of theirs.
  if (path.endsWith('/responses') && messages.at(-1)?.role === 'assistant') {
    messages.push({ role: 'user', content: [asReminder(GO_ON)] });
  }
  const system = items.slice(0, beginning).flatMap(blocksOf) as Array<{ type: string; text: string }>;
  const tools = (sent.tools ?? [])
    .filter((_: Sent, at: number) => !leftOut.has(`tools.${at}`))
    .flatMap(singleTools)
    .map((tool: Sent) => toolOf(tool.function ?? tool));
  return { model: sent.model, system, messages, ...(tools.length > 0 && { tools }) };
}

/** The items of a chat message: what it says, and each of its calls, as the Responses API has them. */
function itemsOfMessage({ role, content, tool_calls, tool_call_id }: Sent): Sent[] {
  if (role === 'tool') return [{ type: 'function_call_output', call_id: tool_call_id, output: content }];
  const calls = (tool_calls ?? []).map((call: Sent) => ({ type: 'function_call', call_id: call.id, ...call.function }));
  return [{ role, content: content ?? [] }, ...calls];
}

/** The input with what it refers to in place of the references. */
function wholeInput({ input, previous_response_id }: Sent, earlier: readonly Exchange[]): Sent[] {
  const own: Sent[] = typeof input === 'string' ? [{ role: 'user', content: input }] : input;
  if (!previous_response_id && !own.some(({ type }) => type === 'item_reference')) return own;
  const answered = earlier.map((exchange) => ({ exchange, response: responseIn(exchange.answer) }));
  const before = answered.find(({ response }) => response.id === (previous_response_id ?? 'none'));
  if (previous_response_id && !before) throw new Error(`Nothing has answered with the id ${previous_response_id}.`);
  const beforeIt = before ? [...wholeInput(before.exchange.body, earlier), ...before.response.output] : [];
  const kept = new Map(answered.flatMap(({ response }) => response.output).map((item: Sent) => [item.id, item]));
  return [...beforeIt, ...own.map((item) => (item.type === 'item_reference' ? kept.get(item.id) : item))];
}

/** The response that an answer tells, in one body or at the end of a stream. */
function responseIn(answer: string): Sent {
  if (!answer.startsWith('event:')) return JSON.parse(answer);
  const frames = answer.split('\n').filter((line) => line.startsWith('data: {'));
  return JSON.parse(String(frames.at(-1)).slice('data: '.length)).response;
}

/** An item as blocks: of its answer it may be one that was done, or of the input. */
export function blocksOf({
  type,
  call_id,
  namespace,
  name,
  content,
  output,
  arguments: text,
  input,
}: Sent): ContentBlock[] {
  if (type === 'reasoning') return [];
  const id = call_id?.replace(/^call_(?=toolu_)/, '');
  if (CALLS.includes(type)) {
    const wholeName = namespace ? `${namespace}__${name}` : name;
    return [{ type: 'tool_use', id, name: wholeName, input: type === 'function_call' ? inputOf(text) : { input } }];
  }
  if (RESULTS.includes(type)) return [{ type: 'tool_result', tool_use_id: id, content: contentBlocks(output) }];
  return contentBlocks(content);
}

/** What a system message behind the beginning is declared to be converted to. */
function asReminder({ text }: ContentBlock): ContentBlock {
  return { type: 'text', text: `<system-reminder>\n${text}\n</system-reminder>` };
}

/** Arguments that were cut are declared to be the input's only field. */
function inputOf(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return { arguments: json };
  }
}

function contentBlocks(content: Sent): ContentBlock[] {
  const parts: Sent[] = typeof content === 'string' ? [{ text: content }] : content;
  return parts.filter(({ text }) => text !== '').map(blockOfPart);
}

function blockOfPart({ text, image_url }: Sent): ContentBlock {
  if (image_url === undefined) return { type: 'text', text };
  const [, media_type, data] = /^data:([^;]+);base64,(.*)$/.exec(image_url.url ?? image_url) ?? [];
  return { type: 'image', source: { type: 'base64', media_type, data } };
}

/** The tools of a namespace by their whole names, the first with what is said of all; any other tool as it is. */
function singleTools(tool: Sent): Sent[] {
  if (tool.type !== 'namespace') return [tool];
  return tool.tools.map((inner: Sent, index: number) => ({
    ...inner,
    name: `${tool.name}__${inner.name}`,
    description: index === 0 ? `${tool.description}\n\n${inner.description}` : inner.description,
  }));
}

/** The API holds strict calls to a schema that names no draft. */
function toolOf({ type, name, description, parameters, strict, format }: Sent): { name: string } {
  if (type === 'custom') {
    const grammar = `The input must follow this ${format.syntax} grammar:\n${format.definition}`;
    return { name, description: `${description}\n\n${grammar}`, input_schema: FREE_TEXT } as { name: string };
  }
  const { $schema, ...rest } = parameters ?? { type: 'object', properties: {} };
  const schema = strict || $schema === undefined ? rest : { $schema, ...rest };
  return { name, description, input_schema: schema, ...(strict && { strict }) };
}
