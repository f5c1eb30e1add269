import { badRequest } from '../../spec/failures.ts';
import type { ClientTool, JsonObject } from '../../spec/messages.ts';
import { jsonObject, parse } from '../body/shapes.ts';
import { customTool, functionTool, messagesTool } from './tool-forms.ts';

/** A tool that the client runs. */
export interface DeclaredTool {
  /** As the model gets it. */
  tool: ClientTool;
  /** Whether its input is free text. */
  isCustom: boolean;
}

/**
 * A tool in any of the shapes that clients of OpenAI write: nested as in the chat API, flat as in the Responses API, or as in the
 * Messages API.
 *
 * @returns undefined for one that OpenAI runs itself
 * @throws FailureError `bad_request`
 */
export function declaredTool(declaration: JsonObject, path: string, converted: string[]): DeclaredTool | undefined {
  const { type } = declaration;
  if (isOfMessagesApi(declaration)) return { tool: messagesTool(declaration, path), isCustom: false };
  if (type === 'custom' || type === 'function') {
    const inner = declaration[type];
    const at = inner == null ? path : `${path}.${type}`;
    const form = inner == null ? declaration : parse(jsonObject, inner, at);
    return type === 'custom'
      ? { tool: customTool(form, at), isCustom: true }
      : { tool: functionTool(form, at, converted), isCustom: false };
  }
  if (type == null) throw badRequest(`${path}.type`, 'must be `function` or `custom`');
  return undefined;
}

/** Its own word for a client's tool is `custom`, and some clients write OpenAI's beside its schema. */
function isOfMessagesApi({ type, input_schema, parameters, ...form }: JsonObject): boolean {
  if (input_schema == null || parameters != null || form.function != null || form.custom != null) return false;
  return type == null || type === 'custom' || type === 'function';
}

/** Tools by the paths of their declarations; no two have one name. */
export class DeclaredTools<Tool extends DeclaredTool = DeclaredTool> {
  readonly #byPath = new Map<string, Tool>();
  readonly #names = new Set<string>();

  /** @throws FailureError `bad_request` for a name that another tool has */
  add(path: string, declared: Tool): void {
    const { name } = declared.tool;
    if (this.#names.has(name)) throw badRequest(path, `tool names must be unique, \`${name}\` was used before`);
    this.#names.add(name);
    this.#byPath.set(path, declared);
  }

  get all(): Tool[] {
    return [...this.#byPath.values()];
  }

  /** The paths of those that may be called. */
  pathsOf(chosen: readonly ClientTool[]): string[] {
    return [...this.#byPath].flatMap(([path, { tool }]) => (chosen.includes(tool) ? [path] : []));
  }
}
