import type { ContentBlock } from '../spec/messages.ts';
import { toolResultContent } from './canonical.ts';

/**
 * A system message inside a conversation, as a reminder in the user's turn. The SDK has no such messages; Claude Code itself
 * sends reminders to models that do not know them, and models are used to this form.
 */
export function toReminder({ text }: ContentBlock): ContentBlock {
  return { type: 'text', text: `<system-reminder>\n${text}\n</system-reminder>` };
}

/**
 * Moves reminders that stand among or right behind the tool results of a user turn into the last result, where Claude Code
 * itself puts them. So the turn holds results only, and a live process can take it. Other reminders stay.
 */
export function foldReminders(content: ContentBlock[], reminders: ReadonlySet<ContentBlock>): ContentBlock[] {
  const firstOther = content.findIndex((block) => block.type !== 'tool_result' && !reminders.has(block));
  const head = firstOther < 0 ? content : content.slice(0, firstOther);
  const results = head.filter((block) => block.type === 'tool_result');
  const last = results.at(-1);
  if (last === undefined || results.length === head.length) return content;
  const folded = head.filter((block) => reminders.has(block)).reduce(withReminder, last);
  return [...results.slice(0, -1), folded, ...content.slice(head.length)];
}

function withReminder(result: ContentBlock, reminder: ContentBlock): ContentBlock {
  const content = toolResultContent(result);
  const last = content.at(-1);
  return {
    ...result,
    content:
      last?.type === 'text'
        ? [...content.slice(0, -1), { ...last, text: `${last.text}\n\n${reminder.text}` }]
        : [...content, reminder],
  };
}
