import { z } from 'zod';
import { stableJson } from '../../conversation/canonical.ts';
import { badRequest } from '../../spec/failures.ts';
import type { JsonObject } from '../../spec/messages.ts';
import { jsonObject, parse } from '../body/shapes.ts';
import { type DeclaredTool, DeclaredTools, declaredTool } from '../openai/declared-tools.ts';
import { namespacedName } from '../openai/namespaced-name.ts';
import type { ToolName } from './output-items.ts';

/** A tool, and what its client calls it. */
export interface ResponseTool extends DeclaredTool {
  name: ToolName;
}

const namespaceForm = z.looseObject({
  name: z.string().min(1, 'must not be empty'),
  description: z.string().nullish(),
  tools: z.array(jsonObject, 'must be a list of tools'),
});

const LONGEST_NAME = 128;

/** The tools of a request as they are found. */
class FoundTools {
  readonly declared = new DeclaredTools<ResponseTool>();
  readonly #byName = new Map<string, ResponseTool>();
  /** Whether a tool may come again as it is: clients repeat items with each part of a conversation. */
  mayRepeat = false;

  add(path: string, found: ResponseTool): void {
    const { name } = found.tool;
    if (this.mayRepeat && stableJson(this.#byName.get(name)) === stableJson(found)) return;
    this.declared.add(path, found);
    this.#byName.set(name, found);
  }
}

/**
 * The tools that the client runs.
 *
 * @param lists declarations by the path of their list: those of the body, then those of its items, which may repeat some
 * @throws FailureError `bad_request`
 */
export function responseTools(
  lists: ReadonlyArray<{ tools: readonly JsonObject[]; path: string }>,
  declared: { ignored: string[]; converted: string[] },
): DeclaredTools<ResponseTool> {
  const tools = new FoundTools();
  for (const { tools: declarations, path } of lists) {
    for (const [at, declaration] of declarations.entries()) {
      const place = `${path}.${at}`;
      if (declaration.type === 'namespace') addNamespace(tools, declaration, place, declared);
      else addTool(tools, declaration, place, declared);
    }
    tools.mayRepeat = true;
  }
  return tools.declared;
}

function addNamespace(
  tools: FoundTools,
  declaration: JsonObject,
  path: string,
  declared: { ignored: string[]; converted: string[] },
): void {
  const { name, description, tools: inner } = parse(namespaceForm, declaration, path);
  // What is said of all of them is said once.
  let about = description ?? '';
  for (const [at, one] of inner.entries()) {
    if (addTool(tools, one, `${path}.tools.${at}`, declared, { name, about })) about = '';
  }
}

function addTool(
  tools: FoundTools,
  declaration: JsonObject,
  path: string,
  { ignored, converted }: { ignored: string[]; converted: string[] },
  namespace?: { name: string; about: string },
): boolean {
  const found = declaredTool(declaration, path, converted);
  if (found === undefined) {
    ignored.push(path);
    return false;
  }
  const { tool, isCustom } = found;
  const { name } = tool;
  if (namespace === undefined) {
    tools.add(path, { tool, isCustom, name: { name, isCustom } });
    return true;
  }
  const whole = namespacedName(name, namespace.name);
  if (whole.length > LONGEST_NAME)
    throw badRequest(
      path,
      `the name ${whole.slice(0, LONGEST_NAME)}… is longer than ${LONGEST_NAME} characters with its namespace`,
    );
  const description = [namespace.about, tool.description ?? ''].filter((text) => text !== '').join('\n\n');
  tools.add(path, {
    tool: { ...tool, name: whole, ...(description !== '' && { description }) },
    isCustom,
    name: { name, namespace: namespace.name, isCustom },
  });
  return true;
}
