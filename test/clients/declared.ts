import type { IncomingHttpHeaders } from 'node:http';
import type { ContentBlock, ModelRequest, ScriptedBlock } from '../../scripted-model/script.ts';
import { blocksOf } from './comparison.ts';

/*
 * What the gateway says that it changes. Written apart from the gateway, like the comparison itself.
 */

/** Names that docs/parameters.md declares to have a `_` behind them before the model. */
const RESERVED = new Set(['ToolSearch', 'Agent', 'EnterPlanMode', 'ExitPlanMode', 'Skill']);

/** What Claude Code as a client says of itself; the gateway's own `claude` says it in its place. */
const BILLING_HEADER = 'x-anthropic-billing-header:';
/** So it says what it is. */
const IDENTITY =
  /^You are (Claude Code, Anthropic's official CLI for Claude(, running within the Claude Agent SDK)?|a Claude agent, built on Anthropic's Claude Agent SDK)\.$/;

/** How a value of the header `anthropic-beta` is named among the ignored fields. */
const BETA = 'anthropic-beta:';

/** The fields that an answer declares as not acted on. */
export function ignoredFields(answerHeaders: IncomingHttpHeaders): string[] {
  return listIn(answerHeaders['isthmus-ignored']);
}

/** The messages that an answer declares to have reached the model in another form. */
export function convertedFields(answerHeaders: IncomingHttpHeaders): string[] {
  return listIn(answerHeaders['isthmus-converted']);
}

/**
 * What the model has to see of a request: what the client sent, but for what its answer and the documentation declare.
 * Whatever else differs is a difference that nobody was told of.
 */
export function asDeclared(sent: ModelRequest, answerHeaders: IncomingHttpHeaders): ModelRequest {
  const request = structuredClone(sent);
  const ignored = ignoredFields(answerHeaders).filter((path) => !path.startsWith(BETA));
  // Found before anything goes, because the paths are those of the request as it was sent.
  const converted = existing(request, convertedFields(answerHeaders)).map((path) => valueAt(request, path));
  for (const path of existing(request, ignored)) remove(request, path);
  applyEfforts(request);
  applyToolChanges(request);
  for (const item of converted) convert(request, item as Convertible);
  rename(request);
  if (Array.isArray(request.system)) {
    request.system = request.system.filter(({ text = '' }) => !text.startsWith(BILLING_HEADER) && !IDENTITY.test(text));
  }
  return request;
}

/** The values of `anthropic-beta` that the model's API has to get. */
export function betasAsDeclared(sent: IncomingHttpHeaders, answerHeaders: IncomingHttpHeaders): string[] {
  const ignored = new Set(ignoredFields(answerHeaders));
  return betasIn(sent).filter((beta) => !ignored.has(`${BETA}${beta}`));
}

/** The values of the header `anthropic-beta`. */
export function betasIn(headers: IncomingHttpHeaders): string[] {
  return String(headers['anthropic-beta'] ?? '')
    .split(',')
    .map((beta) => beta.trim())
    .filter(Boolean);
}

/** The model's answer as its client has to get it: with the tool names that the client knows. */
export function asAnswered(content: readonly ScriptedBlock[]): ScriptedBlock[] {
  return content.map((block) =>
    block.type === 'tool_use' && RESERVED.has(block.name.slice(0, -1))
      ? { ...block, name: block.name.slice(0, -1) }
      : block,
  );
}

function listIn(value: string | string[] | undefined): string[] {
  return typeof value === 'string' ? value.split(', ') : [];
}

/** The paths that are there, each `*` replaced by every index, from the back, so that indices hold while items go. */
function existing(request: ModelRequest, paths: readonly string[]): string[][] {
  return paths
    .flatMap((path) => expand(request, path.split('.')))
    .sort((one, other) => other.join('.').localeCompare(one.join('.'), 'en', { numeric: true }));
}

function expand(value: unknown, [key, ...rest]: string[]): string[][] {
  if (key === undefined) return [[]];
  if (typeof value !== 'object' || value === null) return [];
  const keys = key === '*' ? Object.keys(value) : [key].filter((one) => one in value);
  return keys.flatMap((one) => expand((value as Record<string, unknown>)[one], rest).map((inner) => [one, ...inner]));
}

function valueAt(request: ModelRequest, path: readonly string[]): unknown {
  return path.reduce((value: unknown, key) => (value as Record<string, unknown>)[key], request);
}

function remove(request: ModelRequest, path: string[]): void {
  const last = path.at(-1) ?? '';
  const parent = valueAt(request, path.slice(0, -1));
  if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else delete (parent as Record<string, unknown>)[last];
}

/** A message, or a tool result. */
type Convertible = { role?: string; type?: string; content: unknown; output_config?: unknown };

/** A system message goes into the user's turn before it, several one after the other; a reference to a tool in a result becomes words. */
function convert({ messages }: ModelRequest, item: Convertible): void {
  if (item.role === 'system') {
    const index = messages.indexOf(item as ModelRequest['messages'][number]);
    const before = messages[index - 1];
    if (before === undefined || before.role === 'assistant') {
      throw new Error('There is no user message before a system message.');
    }
    const { role: _, content, output_config: __, ...rest } = item;
    if (before.role === 'system') {
      Object.assign(before, rest, { content: [...blocksOf(before.content), ...blocksOf(content)] });
    } else {
      const texts = blocksOf(content).map((block) => changeInWords(block) ?? block.text);
      const reminders = texts.map((text) => `<system-reminder>\n${text}\n</system-reminder>`);
      Object.assign(before, rest, { content: reminders.reduce(withReminder, blocksOf(before.content)) });
    }
    messages.splice(index, 1);
  } else if (item.type === 'tool_result') {
    item.content = blocksOf(item.content).map((block) =>
      block.type === 'tool_reference' ? { type: 'text', text: `The tool ${block.tool_name} is loaded.` } : block,
    );
  }
}

/**
 * The effort of a system message becomes the request's: at once behind new input of the user, else with the next one. This
 * goes through the messages as the API does.
 */
function applyEfforts(request: ModelRequest): void {
  let effort: unknown;
  let waiting: unknown;
  let isInput = false;
  for (const { role, content, output_config } of request.messages as Array<Convertible & { role: string }>) {
    const set = (output_config as { effort?: unknown } | undefined)?.effort;
    if (role === 'assistant') isInput = false;
    else if (role === 'user' && blocksOf(content).some(({ type }) => type !== 'tool_result')) {
      isInput = true;
      effort = waiting ?? effort;
      waiting = undefined;
    } else if (set !== undefined && isInput) effort = set;
    else waiting = set ?? waiting;
  }
  if (effort !== undefined) request.output_config = { ...(request.output_config as object | undefined), effort };
}

/** A tool whose last change is a removal is left out. */
function applyToolChanges(request: ModelRequest): void {
  const changes = request.messages.flatMap(({ content }) => blocksOf(content)).filter(changeInWords);
  const last = new Map(changes.map(({ type, tool }) => [(tool as { name: string }).name, type]));
  if (request.tools) request.tools = request.tools.filter(({ name }) => last.get(name) !== 'tool_removal');
}

/** What becomes of a change of tools; undefined for any other block. */
function changeInWords({ type, tool }: ContentBlock): string | undefined {
  const { name } = (tool ?? {}) as { name?: string };
  if (type === 'tool_addition') return `The tool ${name} is loaded.`;
  return type === 'tool_removal' ? `The tool ${name} is no longer available.` : undefined;
}

/** With a reminder at the end of the last tool result, or behind what is no tool result. */
function withReminder(turn: ContentBlock[], reminder: string): ContentBlock[] {
  const last = turn.at(-1);
  if (last?.type !== 'tool_result') return [...turn, { type: 'text', text: reminder }];
  const content = blocksOf(last.content);
  const end = content.at(-1);
  const longer =
    end?.type === 'text'
      ? [...content.slice(0, -1), { ...end, text: `${end.text}\n\n${reminder}` }]
      : [...content, { type: 'text', text: reminder }];
  return [...turn.slice(0, -1), { ...last, content: longer }];
}

function rename(request: ModelRequest): void {
  const calls = request.messages
    .flatMap(({ content }) => (Array.isArray(content) ? content : []))
    .filter((block): block is ContentBlock & { name: string } => block.type === 'tool_use');
  for (const named of [...(request.tools ?? []), ...calls]) {
    if (RESERVED.has(named.name)) named.name += '_';
  }
}
