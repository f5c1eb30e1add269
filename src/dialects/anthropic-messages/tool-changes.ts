import { z } from 'zod';
import { badRequest } from '../../spec/failures.ts';
import type { ClientTool, ContentBlock } from '../../spec/messages.ts';

const reference = z.looseObject({ type: z.literal('tool_reference'), name: z.string().min(1) });

/** Blocks of a system message that add or remove a declared tool from there on. */
export const TOOL_CHANGES = {
  tool_addition: z.looseObject({ type: z.literal('tool_addition'), tool: reference }),
  tool_removal: z.looseObject({ type: z.literal('tool_removal'), tool: reference }),
};

type ToolChange = z.infer<(typeof TOOL_CHANGES)[keyof typeof TOOL_CHANGES]>;

/** Whether a block is a change of tools. */
export function isToolChange(block: { type: string }): block is ToolChange {
  return Object.hasOwn(TOOL_CHANGES, block.type);
}

/** A change of tools in words, because the SDK cannot carry it; any other block as it is. */
export function toolChangeInWords(block: ContentBlock): ContentBlock {
  if (!isToolChange(block)) return block;
  const now = block.type === 'tool_addition' ? 'loaded' : 'no longer available';
  return { type: 'text', text: `The tool ${block.tool.name} is ${now}.` };
}

/**
 * The tools that are left after all changes.
 *
 * @throws FailureError `bad_request` for a change of a tool that is not declared
 */
export function toolsAfterChanges(
  tools: readonly ClientTool[],
  messages: ReadonlyArray<{ content: string | ReadonlyArray<{ type: string }> }>,
): ClientTool[] {
  const left = new Set(tools.map(({ name }) => name));
  const declared = new Set(left);
  for (const [index, { content }] of messages.entries()) {
    for (const [at, block] of typeof content === 'string' ? [] : content.entries()) {
      if (!isToolChange(block)) continue;
      const { name } = block.tool;
      if (!declared.has(name)) {
        throw badRequest(
          `messages.${index}.content.${at}.tool.name`,
          `there is no client tool \`${name}\` in \`tools\``,
        );
      }
      if (block.type === 'tool_addition') left.add(name);
      else left.delete(name);
    }
  }
  return tools.filter(({ name }) => left.has(name));
}
