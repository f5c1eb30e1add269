import type { ContentBlock } from '../../src/spec/messages.ts';

/** The one generated tool whose input is free text. */
export const FREE_TEXT_TOOL = 'a.b';

/** Whether every call of the free-text tool has the input of one. In another shape it comes back as text. */
export function hasFreeTexts(content: readonly ContentBlock[]): boolean {
  return content
    .filter(({ type, name }) => type === 'tool_use' && name === FREE_TEXT_TOOL)
    .every(({ input }) => {
      const fields = Object.entries((input ?? {}) as object);
      return fields.length === 1 && fields[0]?.[0] === 'input' && typeof fields[0][1] === 'string';
    });
}
