import { toolResultContent } from '../../conversation/canonical.ts';
import type { ContentBlock, JsonObject } from '../../spec/messages.ts';
import { isToolChange } from './tool-changes.ts';

/** The API's own tool search, which finds deferred tools. It does not pass, so what it could find is loaded at once. */
const TOOL_SEARCH = /^tool_search_tool_/;
/** Claude Code declares it so that a request has a deferred tool; it stands for none. */
const PLACEHOLDER = 'DeferredToolPlaceholder';

/** What of a request can load a deferred tool. */
export interface ToolLoaders {
  messages: ReadonlyArray<{ content: string | ReadonlyArray<{ type: string }> }>;
  tools?: readonly JsonObject[] | null | undefined;
  tool_choice?: JsonObject | null | undefined;
}

/**
 * Which deferred tools the model sees, by the API's rule: those that the conversation has loaded, by a `tool_reference` in a
 * result or a `tool_addition`, and the one that must be called. Claude Code's placeholder is never among them.
 *
 * @returns whether a deferred tool with this name is loaded, or can be
 */
export function loadedTools({ messages, tools, tool_choice }: ToolLoaders): (name: string) => boolean {
  const isAny = tools?.some(({ type }) => TOOL_SEARCH.test(String(type))) === true;
  const loaded = new Set<unknown>([tool_choice?.name]);
  for (const { content } of messages) {
    for (const block of typeof content === 'string' ? [] : content) {
      if (isToolChange(block)) loaded.add(block.tool.name);
      else if (block.type === 'tool_result') {
        for (const inner of toolResultContent(block as ContentBlock)) loaded.add(inner.tool_name);
      }
    }
  }
  return (name) => name !== PLACEHOLDER && (isAny || loaded.has(name));
}
