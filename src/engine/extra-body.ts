import type { ClientTool, JsonObject } from '../spec/messages.ts';
import type { ToolNames } from './tool-names.ts';

/** The variable whose JSON object the CLI merges into the body of each request to the model. */
export const EXTRA_BODY = 'CLAUDE_CODE_EXTRA_BODY';

/**
 * What the client says of a request beside its model, its messages and its system prompt.
 *
 * The tools are in it because their other way, through the MCP server, alters them: the CLI brings descriptions and
 * schemas into another Unicode form and cuts descriptions at a blank line, see docs/decisions/0003.
 *
 * @returns a JSON object as text
 */
export function toExtraBody(parameters: JsonObject, tools: readonly ClientTool[], names: ToolNames): string {
  const { tool_choice, ...rest } = parameters as { tool_choice?: JsonObject };
  return JSON.stringify({
    ...rest,
    ...(tool_choice === undefined ? {} : { tool_choice: renamed(tool_choice, names) }),
    ...(tools.length === 0 ? {} : { tools: tools.map((tool) => renamed(tool, names)) }),
  });
}

function renamed<Named extends JsonObject>(value: Named, names: ToolNames): Named {
  return typeof value.name === 'string' ? { ...value, name: names.toModel(value.name) } : value;
}
