import type { IncomingHttpHeaders } from 'node:http';
import type { ContentBlock, ModelRequest, ScriptedBlock } from '../../src/scripted-model/script.ts';

/** Names that docs/limits.md declares to have a `_` behind them before the model. */
const RESERVED = new Set(['ToolSearch', 'Agent', 'ExitPlanMode']);

/** The paths that an answer of the gateway declares as not acted on. */
export function ignoredPaths(answerHeaders: IncomingHttpHeaders): string[] {
  const value = answerHeaders['isthmus-ignored'];
  return typeof value === 'string' ? value.split(', ') : [];
}

/**
 * What the model has to see of a request: what the client sent, without what the answer declares as ignored and with the
 * tool names that the documentation declares. Whatever else differs is a difference that nobody was told of.
 */
export function asDeclared(sent: ModelRequest, answerHeaders: IncomingHttpHeaders): ModelRequest {
  const request = structuredClone(sent);
  // From the back, so that the numbers of list items still hold.
  const paths = ignoredPaths(answerHeaders)
    .flatMap((path) => expand(request, path.split('.')))
    .sort((one, other) => other.join('.').localeCompare(one.join('.'), 'en', { numeric: true }));
  for (const path of paths) remove(request, path);
  rename(request);
  return request;
}

/** A path that is there, with each `*` replaced by every index. */
function expand(value: unknown, [key, ...rest]: string[]): string[][] {
  if (key === undefined) return [[]];
  if (typeof value !== 'object' || value === null) return [];
  const keys = key === '*' ? Object.keys(value) : [key].filter((one) => one in value);
  return keys.flatMap((one) => expand((value as Record<string, unknown>)[one], rest).map((inner) => [one, ...inner]));
}

function remove(request: ModelRequest, path: string[]): void {
  const last = path.at(-1) ?? '';
  const parent = path.slice(0, -1).reduce((value: unknown, key) => (value as Record<string, unknown>)[key], request);
  if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else delete (parent as Record<string, unknown>)[last];
}

function rename(request: ModelRequest): void {
  const calls = request.messages
    .flatMap(({ content }) => (Array.isArray(content) ? content : []))
    .filter((block): block is ContentBlock & { name: string } => block.type === 'tool_use');
  for (const named of [...(request.tools ?? []), ...calls]) {
    if (RESERVED.has(named.name)) named.name += '_';
  }
}

/** The model's answer as its client has to get it: with the tool names that the client knows. */
export function asAnswered(content: readonly ScriptedBlock[]): ScriptedBlock[] {
  return content.map((block) =>
    block.type === 'tool_use' && RESERVED.has(block.name.slice(0, -1))
      ? { ...block, name: block.name.slice(0, -1) }
      : block,
  );
}
