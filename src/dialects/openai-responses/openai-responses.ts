import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../../spec/messages.ts';
import type { Dialect } from '../dialect.ts';
import { clientCallId, modelCallId } from '../openai/call-ids.ts';
import { openAiErrorAnswer } from '../openai/openai-errors.ts';
import { decodeResponses } from './decode-responses.ts';
import { keepAnswer } from './earlier-answers.ts';
import { ResponsesStreamEncoder, wholeResponseEncoder } from './encode-responses.ts';
import { isItem } from './output-items.ts';
import { carriedThinking } from './reasoning-items.ts';
import { RESPONSES_CONTRACT } from './responses-contract.ts';

/** OpenAI's responses. */
export const openAiResponses: Dialect = {
  name: 'openai-responses',
  // Some users give their client a base URL with `/v1`, others without.
  routes: ['/v1/responses', '/responses'].map((path) => ({
    serves: 'turn',
    method: 'POST',
    path,
    decode: (wire) => {
      const { request, tools, echo, toKeep } = decodeResponses(wire);
      return {
        request,
        encoder: (_, at) => {
          // Of its own: a client may give several requests one id.
          const id = `resp_${randomUUID().replaceAll('-', '')}`;
          const about = {
            id,
            createdAt: Math.floor(at / 1000),
            now: () => Math.floor(Date.now() / 1000),
            model: request.model,
            tools,
            echo,
            keep: (output: readonly JsonObject[]) => {
              if (toKeep) keepAnswer(wire.memory, { id, output, ...toKeep });
            },
          };
          return request.stream ? new ResponsesStreamEncoder(about) : wholeResponseEncoder(about);
        },
      };
    },
  })),
  contract: RESPONSES_CONTRACT,
  encodeError: openAiErrorAnswer,
  limitHeaders: () => ({}),
  // Its clients keep an answer's items as they are.
  asReturned: ({ content }) => ({
    role: 'assistant',
    content: content.filter(isItem).map((block) => {
      if (block.type === 'text') return { type: 'text', text: block.text };
      if (block.type !== 'tool_use') return carriedThinking(block);
      const { type, id, name, input } = block;
      return { type, id: modelCallId(clientCallId(String(id))), name, input };
    }),
  }),
};
