import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isBlank, isThinking } from '../../src/conversation/carried-form.ts';
import { decodeResponses } from '../../src/dialects/openai-responses/decode-responses.ts';
import { ResponsesStreamEncoder, wholeResponseEncoder } from '../../src/dialects/openai-responses/encode-responses.ts';
import { openAiResponses } from '../../src/dialects/openai-responses/openai-responses.ts';
import { requestEcho } from '../../src/dialects/openai-responses/request-echo.ts';
import type { ContentBlock, JsonObject, Message } from '../../src/spec/messages.ts';
import { checkProperty, depthOf } from '../support/depth.ts';
import { foldResponses } from '../support/fold-responses.ts';
import { FREE_TEXT_TOOL, hasFreeTexts } from '../support/free-text-calls.ts';
import { generatedTurn } from '../support/generated-turns.ts';
import { assistantIn, lineageOf, wireRequest } from '../support/wire-request.ts';

const ABOUT = {
  id: 'resp_1',
  createdAt: 1,
  now: () => 2,
  model: 'claude-sonnet-5',
  tools: new Map([
    ['mcp__x__y', { name: 'y', namespace: 'mcp__x__', isCustom: false }],
    [FREE_TEXT_TOOL, { name: FREE_TEXT_TOOL, isCustom: true }],
  ]),
  echo: requestEcho({}, {}),
  keep: () => undefined,
};

test('whatever an answer is, its events and its whole body say the same, and it comes back as it is indexed', async () => {
  const depth = depthOf('responsesAnswers');
  await checkProperty(
    depth,
    fc.asyncProperty(generatedTurn, async ({ events, message, failure, cutBlock, silences }) => {
      if (depth.isOver()) return;
      const encoder = new ResponsesStreamEncoder(ABOUT);
      const text = events.map((event, at) => (silences.has(at) ? encoder.keepAlive() : '') + encoder.encode(event));
      const { items, response } = foldResponses(text.join(''));
      if (failure) {
        expect(response.error).toEqual({ code: expect.any(String), message: expect.any(String) });
        return;
      }
      // What is left of a cut input is no JSON: an answer that is not a stream fails there.
      if (cutBlock !== undefined) return;
      const whole = JSON.parse(wholeResponseEncoder(ABOUT).encode({ type: 'message_stop', answer: message }));
      expect(withoutSpelling(response)).toEqual(withoutSpelling(whole));
      const ids = items.flatMap(({ call_id: id }) => (id === undefined ? [] : [id]));
      // The API never gives two calls one id, nor an empty one.
      if (new Set(ids).size < ids.length || ids.includes('')) return;
      if (!hasFreeTexts(message.content)) return;
      const said = message.stop_reason === 'refusal' ? items.slice(0, -1) : items;
      const indexed = openAiResponses.asReturned(message);
      const decoded = returned(said);
      // An answer that says nothing is left out.
      if (indexed.content.every((block) => isThinking(block) || isBlank(block))) expect(decoded.content).toEqual([]);
      else {
        expect(lineageOf(decoded)).toEqual(lineageOf(indexed));
        expect(thinkingOf(decoded)).toEqual(thinkingOf(indexed));
      }
    }),
  );
});

/** The arguments of a call as what they mean. */
function withoutSpelling({ output, ...response }: JsonObject): JsonObject {
  return {
    ...response,
    output: (output as JsonObject[]).map((item) =>
      item.type === 'function_call' ? { ...item, arguments: JSON.parse(String(item.arguments)) } : item,
    ),
  };
}

/** The message of the assistant that the next request decodes to. */
function returned(items: readonly JsonObject[]): Message {
  const results = items.flatMap(({ type, call_id }) =>
    String(type).endsWith('call') ? [{ type: `${type}_output`, call_id, output: 'done' }] : [],
  );
  const user = { role: 'user', content: 'go on' };
  const body = { model: ABOUT.model, input: [user, ...items, ...results, user] };
  return assistantIn(decodeResponses(wireRequest(body, { mayHoldLoneSurrogates: false })).request);
}

function thinkingOf({ content }: Message): ContentBlock[] {
  return content.filter(isThinking);
}
