import { badRequest, failed } from '../../spec/failures.ts';
import type { ClientTool, JsonObject } from '../../spec/messages.ts';
import { refusesForcedCalls } from '../../spec/model-generation.ts';
import { namespacedName } from './namespaced-name.ts';

/** What a client says of the choice among its tools. */
export interface ChoiceRequest {
  model: string;
  /** In the shape of either API. */
  choice: unknown;
  isParallel: unknown;
  tools: readonly ClientTool[];
}

/** What becomes of it. */
export interface Choice {
  /** For the model's request; undefined where nothing is to be said. */
  tool_choice: JsonObject | undefined;
  /** The tools that may be called. */
  tools: ClientTool[];
  /** Whether a call is forced. */
  isForced: boolean;
  ignored: string[];
}

/** @throws FailureError `bad_request` for a tool that is not there */
export function chooseTools({ model, choice, isParallel, tools: all }: ChoiceRequest): Choice {
  if (isParallel != null && typeof isParallel !== 'boolean')
    throw badRequest('parallel_tool_calls', 'must be true or false');
  const { mode, name, allowed, leavesOut = false } = read(choice);
  const tools = allowed === undefined ? [...all] : all.filter((tool) => allowed.includes(tool.name));
  const missing = [...(name === undefined ? [] : [name]), ...(allowed ?? [])].find(
    (wanted) => !all.some((tool) => tool.name === wanted),
  );
  if (missing !== undefined)
    throw badRequest('tool_choice', `there is no tool ${JSON.stringify(missing)} in \`tools\` that the client runs`);
  if (mode === 'required' && tools.length === 0) {
    throw badRequest('tool_choice', 'asks for a tool call, but there is no tool in `tools` that the client runs');
  }
  const ignored = leavesOut ? ['tool_choice'] : [];
  if (tools.length === 0) return { tool_choice: undefined, tools, isForced: false, ignored };
  const serial = isParallel === false && mode !== 'none' ? { disable_parallel_tool_use: true } : {};
  let isForced = name !== undefined || mode === 'required';
  if (isForced && refusesForcedCalls(model)) {
    ignored.push('tool_choice');
    isForced = false;
  }
  const type = isForced ? (name === undefined ? 'any' : 'tool') : mode === 'none' ? 'none' : 'auto';
  const isSaid = choice != null || Object.keys(serial).length > 0;
  return {
    tool_choice: isSaid ? { type, ...(type === 'tool' && { name }), ...serial } : undefined,
    tools,
    isForced,
    ignored: [...new Set(ignored)],
  };
}

interface ReadChoice {
  mode: 'auto' | 'none' | 'required';
  name?: string;
  allowed?: string[];
  /** Whether it allows tools that OpenAI runs itself, too. */
  leavesOut?: boolean;
}

function read(choice: unknown): ReadChoice {
  if (choice == null) return { mode: 'auto' };
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { mode: choice };
  if (typeof choice !== 'object' || Array.isArray(choice)) throw unknownChoice();
  const { type, ...given } = choice as JsonObject;
  if (type === 'function' || type === 'custom') {
    const name = nameOf(type, given);
    if (name === undefined) throw badRequest('tool_choice', `must name the ${type}`);
    return { mode: 'required', name };
  }
  if (type !== 'allowed_tools') throw unknownChoice();
  const { mode, tools } = (given.allowed_tools ?? given) as JsonObject;
  if ((mode !== 'auto' && mode !== 'required') || !Array.isArray(tools)) {
    throw badRequest('tool_choice', 'with `allowed_tools` needs the mode auto or required, and a list of tools');
  }
  const named = tools.map(allowedTool);
  const names = named.filter((name) => name !== undefined);
  return { mode, allowed: names, leavesOut: names.length < named.length };
}

/** The name of a tool of the client's; undefined for one that OpenAI runs itself. */
function allowedTool(tool: JsonObject | null): string | undefined {
  const type = tool?.type;
  if (tool == null || typeof type !== 'string') throw badRequest('tool_choice', 'each allowed tool must have a type');
  if (type !== 'function' && type !== 'custom') return undefined;
  const name = nameOf(type, tool);
  if (name === undefined) throw badRequest('tool_choice', `must name each allowed ${type}`);
  return name;
}

/** The chat API has the name one level deeper. */
function nameOf(type: unknown, given: JsonObject): string | undefined {
  const inner = typeof type === 'string' ? (given[type] as JsonObject | undefined) : undefined;
  const name = inner?.name ?? given.name;
  if (typeof name !== 'string') return undefined;
  return namespacedName(name, typeof given.namespace === 'string' ? given.namespace : undefined);
}

function unknownChoice() {
  return failed('bad_request', {
    path: 'tool_choice',
    problem:
      'must be auto, none, required, a function or custom tool by its name, or `allowed_tools` among the client’s own',
  });
}
