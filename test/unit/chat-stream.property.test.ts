import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeChat } from '../../src/dialects/openai-chat/decode-chat.ts';
import { ChatStreamEncoder, wholeChatEncoder } from '../../src/dialects/openai-chat/encode-chat.ts';
import { openAiChat } from '../../src/dialects/openai-chat/openai-chat.ts';
import type { JsonObject, Message } from '../../src/spec/messages.ts';
import { checkProperty, depthOf } from '../support/depth.ts';
import { foldChat } from '../support/fold-chat.ts';
import { FREE_TEXT_TOOL, hasFreeTexts } from '../support/free-text-calls.ts';
import { generatedTurn } from '../support/generated-turns.ts';
import { assistantIn, lineageOf, wireRequest } from '../support/wire-request.ts';

const ABOUT = {
  id: 'chatcmpl-1',
  created: 1,
  model: 'asked',
  customTools: new Set([FREE_TEXT_TOOL]),
  includesUsage: true,
  isOfAgent: false,
};

test('whatever an answer is, its chunks and its whole body say the same, and it comes back as it is indexed', async () => {
  const depth = depthOf('chatAnswers');
  await checkProperty(
    depth,
    fc.asyncProperty(generatedTurn, async ({ events, message, failure, cutBlock }) => {
      if (depth.isOver()) return;
      const encoder = new ChatStreamEncoder(ABOUT);
      const folded = foldChat(events.map((event) => encoder.encode(event)).join(''), { asksUsage: true });
      if (failure) {
        expect(folded.error).toMatchObject({ message: expect.any(String), type: expect.any(String) });
        return;
      }
      // What is left of a cut input is no JSON: an answer that is not a stream fails there.
      if (cutBlock !== undefined) return;
      const whole = JSON.parse(wholeChatEncoder(ABOUT).encode({ type: 'message_stop', answer: message }));
      const [{ message: said, finish_reason }] = whole.choices;
      expect(folded.finishReason).toBe(finish_reason);
      expect(folded.usage).toEqual(whole.usage);
      expect(folded.message.content).toBe(said.content ?? '');
      expect(folded.message.reasoning_details).toEqual(said.reasoning_details ?? []);
      const calls = (said.tool_calls ?? []) as JsonObject[];
      const free = ABOUT.customTools;
      expect(
        folded.message.tool_calls.map(({ id, name, text }) => ({
          id,
          name,
          input: free.has(name) ? text : JSON.parse(text),
        })),
      ).toEqual(calls.map(callIn));
      const ids = new Set(calls.map(({ id }) => id));
      // The API never gives two calls one id, nor an empty one.
      if (ids.size < calls.length || ids.has('')) return;
      if (!hasFreeTexts(message.content)) return;
      const indexed = openAiChat.asReturned(message);
      expect(lineageOf(returned(said))).toEqual(lineageOf(indexed));
    }),
  );
});

/** What a call of a whole body means. */
function callIn({ id, function: called, custom }: JsonObject): object {
  const { name, arguments: args, input } = (called ?? custom) as JsonObject;
  return { id, name, input: custom === undefined ? JSON.parse(String(args)) : input };
}

/** The message of the assistant that the next request decodes to. */
function returned(said: JsonObject): Message {
  const results = ((said.tool_calls ?? []) as JsonObject[]).map(({ id }) => ({
    role: 'tool',
    tool_call_id: id,
    content: 'done',
  }));
  const user = { role: 'user', content: 'go on' };
  const body = { model: 'claude-sonnet-5', messages: [user, said, ...results, user] };
  return assistantIn(decodeChat(wireRequest(body, { mayHoldLoneSurrogates: false })).request);
}
