import type { Message, MessagesRequest } from '../spec/messages.ts';
import { thinksByBudget } from '../spec/model-generation.ts';
import { isThinking } from './carried-form.ts';

/**
 * Whether the model's API would refuse a request if it got these messages as they are: with a budget of thinking it wants to see
 * the thinking before the calls whose results it gets, and many clients send none back.
 */
export function missesThinking({ model, modelId = model, parameters, messages }: MessagesRequest): boolean {
  const { thinking } = parameters as { thinking?: { type?: unknown } };
  if (thinking?.type !== 'enabled' || !thinksByBudget(modelId)) return false;
  // A loop is one turn of the assistant: thinking at its beginning is enough, later calls in it may have none.
  let calls = 0;
  for (let at = messages.length - 1; isOfResults(messages[at]); at -= 2) {
    if (messages[at - 1]?.content.some(isThinking)) return false;
    calls += 1;
  }
  return calls > 0;
}

function isOfResults(message: Message | undefined): boolean {
  return message?.content.some(({ type }) => type === 'tool_result') === true;
}

/** The same request, for a turn without thinking. */
export function withoutThinking(request: MessagesRequest): MessagesRequest {
  return { ...request, parameters: { ...request.parameters, thinking: { type: 'disabled' } } };
}
