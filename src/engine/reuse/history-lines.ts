import type { SDKUserMessage } from '@anthropic-ai/claude-agent-sdk';
import type { Message } from '../../spec/messages.ts';
import type { ToolNames } from '../parameters/tool-names.ts';
import { toAssistantMessage, toModelContent } from '../replay/transcript.ts';

/** A line of a process's input. The process tells by this uuid that it has taken the line. */
export type InputLine = SDKUserMessage & { uuid: string };

/** The message that the model answers next. */
export function toUserLine(message: Message, names: ToolNames, uuid: string): InputLine {
  return {
    type: 'user',
    uuid,
    message: { role: 'user', content: toModelContent(message, names) },
    parent_tool_use_id: null,
  } as unknown as InputLine;
}

/**
 * A message of a history, which the model does not answer. That the binary takes an assistant's is not documented: see
 * docs/decisions/0010. A fact of test/real/sdk-facts holds it.
 */
export function toHistoryLine(message: Message, model: string, names: ToolNames, uuid: string): InputLine {
  if (message.role === 'user') return { ...toUserLine(message, names, uuid), shouldQuery: false };
  return {
    type: 'assistant',
    uuid,
    parent_tool_use_id: null,
    message: toAssistantMessage(message, model, names),
  } as unknown as InputLine;
}
