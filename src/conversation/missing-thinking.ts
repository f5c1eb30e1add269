import type { MessagesRequest } from '../spec/messages.ts';
import { thinksByBudget } from '../spec/model-generation.ts';
import { isThinking } from './carried-form.ts';

/**
 * Whether the model's API would refuse a request if it got these messages as they are: with a budget of thinking it wants to see
 * the thinking before the calls whose results it gets, and many clients send none back.
 */
export function missesThinking({ model, parameters, messages }: MessagesRequest): boolean {
  const { thinking } = parameters as { thinking?: { type?: unknown } };
  if (thinking?.type !== 'enabled' || !thinksByBudget(model)) return false;
  const isLoop = messages.at(-1)?.content.some(({ type }) => type === 'tool_result') === true;
  return isLoop && messages.at(-2)?.content.some(isThinking) === false;
}

/** The same request, for a turn without thinking. */
export function withoutThinking(request: MessagesRequest): MessagesRequest {
  return { ...request, parameters: { ...request.parameters, thinking: { type: 'disabled' } } };
}
