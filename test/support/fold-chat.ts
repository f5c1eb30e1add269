import type { JsonObject } from '../../src/spec/messages.ts';
import { ChatGrammar } from './chat-grammar.ts';

/** What a client of OpenAI makes of a stream of chunks. */
export interface FoldedChat {
  message: {
    content: string;
    refusal: string;
    reasoning_content: string;
    reasoning_details: JsonObject[];
    tool_calls: Array<{ id: string; type: string; name: string; text: string }>;
  };
  finishReason: string | undefined;
  usage: JsonObject | undefined;
  error: JsonObject | undefined;
}

/**
 * Holds a whole stream against the grammar, and puts it together.
 *
 * @param asksUsage whether the request has `stream_options.include_usage`
 * @throws UngrammaticalStream
 */
export function foldChat(stream: string, { asksUsage }: { asksUsage: boolean }): FoldedChat {
  const grammar = new ChatGrammar({ asksUsage });
  grammar.write(new TextEncoder().encode(stream));
  const end = grammar.end();
  return {
    message: messageOf(grammar.chunks),
    ...(end.type === 'done'
      ? { finishReason: end.finish_reason, usage: end.usage, error: undefined }
      : { finishReason: undefined, usage: undefined, error: end.error }),
  };
}

/** The message in the chunks of a grammatical stream. */
export function messageOf(chunks: readonly JsonObject[]): FoldedChat['message'] {
  const message: FoldedChat['message'] = {
    content: '',
    refusal: '',
    reasoning_content: '',
    reasoning_details: [],
    tool_calls: [],
  };
  for (const { choices } of chunks) {
    for (const { delta } of choices as Array<{ delta: JsonObject }>) {
      message.content += delta.content ?? '';
      message.refusal += delta.refusal ?? '';
      message.reasoning_content += delta.reasoning_content ?? '';
      message.reasoning_details.push(...((delta.reasoning_details ?? []) as JsonObject[]));
      for (const call of (delta.tool_calls ?? []) as JsonObject[]) addCall(message.tool_calls, call);
    }
  }
  return message;
}

function addCall(calls: FoldedChat['message']['tool_calls'], { index, id, type, ...form }: JsonObject): void {
  const { name, arguments: text, input } = (form.function ?? form.custom) as JsonObject;
  const open = calls[Number(index)];
  if (open) open.text += text ?? input;
  else calls.push({ id: String(id), type: String(type), name: String(name), text: String(text ?? input) });
}
