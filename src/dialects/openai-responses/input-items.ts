import { z } from 'zod';
import { badRequest } from '../../spec/failures.ts';
import type { ContentBlock, JsonObject } from '../../spec/messages.ts';
import { jsonObject, nonEmpty, parse } from '../body/shapes.ts';
import { inputOfArguments } from '../openai/call-arguments.ts';
import { modelCallId } from '../openai/call-ids.ts';
import { type PlacedBlock, placedBlocks, textOf } from '../openai/content-parts.ts';
import { namespacedName } from '../openai/namespaced-name.ts';
import type { BetweenAnswers, OpenCall } from '../openai/user-turn.ts';
import type { PlacedItem } from './earlier-answers.ts';
import { thinkingIn } from './reasoning-items.ts';

/** What an item of the input is to the conversation. */
export type ReadItem =
  /** A part of an answer of the assistant. */
  | { kind: 'said'; blocks: PlacedBlock[]; call?: OpenCall }
  | { kind: 'tools'; tools: JsonObject[]; path: string }
  /** Nothing: it was left out. `call` is the id by which an output may belong to it. */
  | { kind: 'nothing'; call?: unknown }
  | BetweenAnswers;

interface Declared {
  ignored: string[];
  converted: string[];
}

const callId = nonEmpty('the id of a call');
const named = { call_id: callId, name: z.string(), namespace: z.string().nullish() };
const message = z.looseObject({
  role: z.enum(['system', 'developer', 'user', 'assistant'], 'must be `system`, `developer`, `user` or `assistant`'),
  content: z.unknown().optional(),
});
const functionCall = z.looseObject({ ...named, arguments: z.string().nullish() });
const customCall = z.looseObject({ ...named, input: z.string() });
const output = z.looseObject({ call_id: callId, output: z.unknown().optional() });
const additionalTools = z.looseObject({ tools: z.array(jsonObject, 'must be a list of tools') });

/** Items of what OpenAI runs itself, or of programs on its side; the model has no such tools. */
const OF_OPENAI =
  /^(?:web_search|file_search|code_interpreter|image_generation|computer|local_shell|shell|apply_patch|mcp|program|compaction|context_compaction)(?:_|$)/;
/** The tool with which OpenAI's models look for further tools. */
const TOOL_SEARCH = 'tool_search';

/**
 * @param model that the request asks for; thinking of another one is left out
 * @throws FailureError `bad_request` for what cannot reach the model
 */
export function readItem({ given, path, contentPath }: PlacedItem, model: string, declared: Declared): ReadItem {
  const item = parse(jsonObject, given, path);
  const type = item.type ?? (item.role === undefined ? undefined : 'message');
  switch (type) {
    case 'message':
      return readMessage(item, path, contentPath ?? `${path}.content`, declared);
    case 'function_call': {
      const { call_id, name, namespace, arguments: text } = parse(functionCall, item, path);
      const { input, isWhole } = inputOfArguments(text ?? '');
      if (!isWhole) declared.converted.push(`${path}.arguments`);
      return saidCall(call_id, namespacedName(name, namespace), input, path);
    }
    case 'custom_tool_call': {
      const { call_id, name, namespace, input } = parse(customCall, item, path);
      return saidCall(call_id, namespacedName(name, namespace), { input }, path);
    }
    case 'function_call_output':
    case 'custom_tool_call_output': {
      const { call_id, output: content } = parse(output, item, path);
      return result(call_id, path, placedBlocks(content, `${path}.output`, declared));
    }
    case 'reasoning': {
      const thought = thinkingIn(item.encrypted_content, model);
      if (thought !== undefined) return { kind: 'said', blocks: thought.map((block) => ({ block, path })) };
      return leftOut(path, declared);
    }
    case 'additional_tools':
      return { kind: 'tools', tools: parse(additionalTools, item, path).tools, path: `${path}.tools` };
    case 'tool_search_call':
    case 'tool_search_output':
      return readToolSearch(item, path, declared);
    default:
      // Codex answers a `local_shell_call` with the output of a function.
      if (typeof type === 'string' && OF_OPENAI.test(type))
        return { ...leftOut(path, declared), call: item.call_id ?? item.id };
      throw badRequest(
        `${path}.type`,
        type === undefined
          ? 'Field required'
          : `items of the type ${JSON.stringify(type).slice(0, 100)} do not reach the model; send messages, calls, their outputs and reasoning`,
      );
  }
}

function readMessage(item: JsonObject, path: string, contentPath: string, declared: Declared): ReadItem {
  const { role, content: given } = parse(message, item, path);
  if (item.name != null) declared.ignored.push(`${path}.name`);
  const content = placedBlocks(given, contentPath, declared);
  if (role === 'assistant') {
    for (const placed of content) textOf(placed, 'an assistant message');
    return { kind: 'said', blocks: content };
  }
  return { kind: 'words', role: role === 'user' ? 'user' : 'system', path, contentPath, content };
}

function saidCall(id: string, name: string, input: JsonObject, path: string): ReadItem {
  const block: ContentBlock = { type: 'tool_use', id: modelCallId(id), name, input };
  return { kind: 'said', blocks: [{ block, path }], call: { id, path } };
}

function result(id: string, path: string, content: readonly PlacedBlock[]): ReadItem {
  return { kind: 'result', id, path, idPath: `${path}.call_id`, content };
}

/** What a client has searched becomes a plain call; what OpenAI has searched has no id, and is left out. */
function readToolSearch(item: JsonObject, path: string, declared: Declared): ReadItem {
  const { call_id: id, arguments: asked, tools } = item;
  if (typeof id !== 'string') return leftOut(path, declared);
  declared.converted.push(path);
  if (item.type === 'tool_search_call') {
    const { input } = inputOfArguments(typeof asked === 'string' ? asked : JSON.stringify(asked ?? {}));
    return saidCall(id, TOOL_SEARCH, input, path);
  }
  const names = (Array.isArray(tools) ? tools : []).flatMap((tool: JsonObject | null) =>
    typeof tool?.name === 'string' ? [tool.name] : [],
  );
  return result(id, path, [{ block: { type: 'text', text: `Found: ${names.join(', ') || 'nothing'}` }, path }]);
}

function leftOut(path: string, { ignored }: Declared): { kind: 'nothing' } {
  ignored.push(path);
  return { kind: 'nothing' };
}
