import type { Dialect } from '../dialect.ts';
import { clientCallId, modelCallId } from '../openai/call-ids.ts';
import { openAiErrorAnswer } from '../openai/openai-errors.ts';
import { CHAT_CONTRACT } from './chat-contract.ts';
import { decodeChat } from './decode-chat.ts';
import { ChatStreamEncoder, joinedText, wholeChatEncoder } from './encode-chat.ts';

/** OpenAI's chat completions. */
export const openAiChat: Dialect = {
  name: 'openai-chat',
  // Some users give their client a base URL with `/v1`, others without.
  routes: ['/v1/chat/completions', '/chat/completions'].map((path) => ({
    serves: 'turn',
    method: 'POST',
    path,
    decode: (wire) => {
      const { request, customTools, includesUsage } = decodeChat(wire);
      return {
        request,
        encoder: (requestId, at, isOfAgent) => {
          const id = `chatcmpl-${requestId.replace(/^req_/, '')}`;
          const created = Math.floor(at / 1000);
          const about = { id, created, model: request.model, customTools, includesUsage, isOfAgent };
          return request.stream ? new ChatStreamEncoder(about) : wholeChatEncoder(about);
        },
      };
    },
  })),
  contract: CHAT_CONTRACT,
  encodeError: openAiErrorAnswer,
  limitHeaders: () => ({}),
  // Its clients keep one text of an answer, and its calls behind it.
  asReturned: ({ content }) => {
    const text = joinedText(content);
    const calls = content.filter(({ type }) => type === 'tool_use');
    return {
      role: 'assistant',
      content: [
        ...(text === '' ? [] : [{ type: 'text', text }]),
        ...calls.map((call) => ({ ...call, id: modelCallId(clientCallId(String(call.id))) })),
      ],
    };
  },
};
