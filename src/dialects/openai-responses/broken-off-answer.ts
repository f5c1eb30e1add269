import { isThinking } from '../../conversation/carried-form.ts';
import type { DecodedMessage } from '../../conversation/check-messages.ts';
import { refusesLastWords } from '../../spec/model-generation.ts';

const GO_ON = 'Your last answer broke off behind these words. Go on from there.';

/**
 * Makes of answers that broke off what the model takes. A client that repeats such a turn sends the items that came whole, and
 * OpenAI's models go on behind them. Newer models of Anthropic's refuse a request that ends with words of theirs, and none takes
 * thinking there: a reminder goes behind the words. Thinking that nothing followed is left out.
 *
 * @param messages changed in place
 * @param model its exact id, where that is known
 * @returns the paths of what was left out. It is no doing of the client's: strict mode does not refuse it
 */
export function mendBrokenAnswers(messages: DecodedMessage[], model: string): string[] {
  const leftOut: string[] = [];
  for (const message of messages.filter(isThinkingAlone)) {
    messages.splice(messages.indexOf(message), 1);
    leftOut.push(message.paths.message);
  }
  const last = messages.at(-1);
  const isText = last?.content.every(({ type }) => type === 'text');
  if (last?.role === 'assistant' && (refusesLastWords(model) || !isText)) {
    messages.push({ role: 'system', content: [{ type: 'text', text: GO_ON }], paths: last.paths });
  }
  return leftOut;
}

function isThinkingAlone({ role, content }: DecodedMessage): boolean {
  return role === 'assistant' && content.length > 0 && content.every(isThinking);
}
