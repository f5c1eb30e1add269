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
  const reminding = head.filter((block) => reminders.has(block));
  return [...results.slice(0, -1), withReminders(last, reminding), ...content.slice(head.length)];
}

function withReminders(result: ContentBlock, reminders: readonly ContentBlock[]): ContentBlock {
  const content = toolResultContent(result);
  const last = content.at(-1);
  const texts = reminders.map(({ text }) => text);
  if (last?.type === 'text') {
    return { ...result, content: [...content.slice(0, -1), { ...last, text: [last.text, ...texts].join('\n\n') }] };
  }
  const [first] = reminders;
  return { ...result, content: [...content, { ...first, text: texts.join('\n\n') }] };
}
