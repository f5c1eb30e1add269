import type { JsonObject, MessagesRequest } from '../../spec/messages.ts';
import type { ToolNames } from './tool-names.ts';

/** The CLI merges this JSON object into the body of each request to the model. */
const EXTRA_BODY = 'CLAUDE_CODE_EXTRA_BODY';
/** The CLI adds these values, separated by commas, to the header `anthropic-beta`. */
const BETAS = 'ANTHROPIC_BETAS';

/** What the next model call asks for. Both are always set, so that nothing of an earlier turn stays. */
export type RequestVariables = Record<typeof EXTRA_BODY | typeof BETAS, string>;

/** Those of a process that has no request yet. */
export const NO_VARIABLES: RequestVariables = { [EXTRA_BODY]: '', [BETAS]: '' };

/**
 * All that the client asks for, besides model, messages and system prompt, becomes the extra body and the betas of the model
 * call. Which fields come this far is decided in the dialect, by the `passed` of its contract table.
 *
 * The tools go here too, because the MCP server would alter them: the CLI normalises the Unicode of descriptions and schemas
 * and cuts descriptions at a blank line, see docs/decisions/0003.
 */
export function toRequestVariables(
  { parameters, tools, betas }: Pick<MessagesRequest, 'parameters' | 'tools' | 'betas'>,
  names: ToolNames,
): RequestVariables {
  const { tool_choice, ...rest } = parameters as { tool_choice?: JsonObject };
  const body = {
    ...rest,
    ...(tool_choice === undefined ? {} : { tool_choice: renamed(tool_choice, names) }),
    ...(tools.length === 0 ? {} : { tools: tools.map((tool) => renamed(tool, names)) }),
  };
  return { [EXTRA_BODY]: JSON.stringify(body), [BETAS]: betas.join(',') };
}

function renamed<Named extends JsonObject>(value: Named, names: ToolNames): Named {
  return typeof value.name === 'string' ? { ...value, name: names.toModel(value.name) } : value;
}
