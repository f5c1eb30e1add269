import type { Tool } from '@modelcontextprotocol/sdk/types.js';
import type { ClientTool } from '../../spec/messages.ts';
import { RESERVED_NAMES } from '../parameters/tool-names.ts';

/** Tools as an MCP server lists them, to be counted and never called. */
export type ToolSet = readonly Tool[];

/** More than 500 tokens. Without a space at its end, which bare mode drops. */
const PADDING_TEXT = `${'word '.repeat(800)}word`;

/** A tool that adds a number of tokens which does not depend on the others. */
export function padding(name: string): Tool {
  return { name, description: PADDING_TEXT, inputSchema: { type: 'object' } };
}

/** The client's tools with their descriptions. */
export function countedTools(tools: readonly ClientTool[]): ToolSet {
  return tools.map(({ name, description, input_schema }) => ({
    name: countedName(name, tools),
    ...(description === undefined ? {} : { description }),
    inputSchema: { ...input_schema, type: 'object' },
  }));
}

/** Claude Code claims some names for its own tools. Such a tool is counted by a name of the same length. */
function countedName(name: string, tools: readonly ClientTool[]): string {
  if (!Object.hasOwn(RESERVED_NAMES, name)) return name;
  const names = ['_', '1', '2', '3', '4'].map((end) => `${name.slice(0, -1)}${end}`);
  return names.find((other) => !tools.some((tool) => tool.name === other)) ?? `${name}_`;
}
