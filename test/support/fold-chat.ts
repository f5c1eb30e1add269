import type { JsonObject } from '../../src/spec/messages.ts';

/** What a client of OpenAI makes of a stream of chunks, held against what OpenAI's stream is. */
export interface FoldedChat {
  id: string;
  model: string;
  message: {
    role: 'assistant';
    content: string;
    refusal: string;
    reasoning_content: string;
    reasoning_details: JsonObject[];
    tool_calls: Array<{ id: string; type: string; name: string; text: string }>;
  };
  finishReason: string | null;
  usage: JsonObject | undefined;
  error: JsonObject | undefined;
}

/** @throws Error which says what no such stream has */
export function foldChat(stream: string): FoldedChat {
  const folded: FoldedChat = {
    id: '',
    model: '',
    message: {
      role: 'assistant',
      content: '',
      refusal: '',
      reasoning_content: '',
      reasoning_details: [],
      tool_calls: [],
    },
    finishReason: null,
    usage: undefined,
    error: undefined,
  };
  const state = { chunks: 0, isDone: false };
  if (!stream.endsWith('\n\n')) throw new Error('the last frame has no end');
  for (const frame of stream.slice(0, -2).split('\n\n')) {
    if (!/^data: [^\n\r]*$/.test(frame)) throw new Error(`a frame is no line of data: ${JSON.stringify(frame)}`);
    if (state.isDone || folded.error) throw new Error('something comes behind the end');
    const data = frame.slice('data: '.length);
    if (data === '[DONE]') state.isDone = true;
    else readChunk(JSON.parse(data), folded, state);
  }
  if (!state.isDone && !folded.error) throw new Error('the stream has no end');
  if (state.isDone && folded.finishReason === null) throw new Error('no chunk says why it ends');
  return folded;
}

function readChunk(chunk: JsonObject, folded: FoldedChat, state: { chunks: number }): void {
  if (chunk.error !== undefined) {
    folded.error = chunk.error as JsonObject;
    return;
  }
  const { id, object, created, model, choices, usage } = chunk;
  if (object !== 'chat.completion.chunk' || !Number.isInteger(created)) throw new Error('a chunk without its head');
  if (state.chunks > 0 && id !== folded.id) throw new Error('another id');
  folded.id = String(id);
  folded.model = String(model);
  state.chunks += 1;
  if (folded.usage) throw new Error('a chunk behind the usage');
  if (usage !== undefined) {
    if ((choices as unknown[]).length > 0) throw new Error('usage in a chunk with choices');
    folded.usage = usage as JsonObject;
    return;
  }
  const [choice] = choices as Array<{ index: number; delta: JsonObject; finish_reason: string | null }>;
  if (choice?.index !== 0 || folded.finishReason !== null) throw new Error('a choice too many');
  folded.finishReason = choice.finish_reason;
  readDelta(choice.delta, folded.message);
}

function readDelta(
  { role, tool_calls, reasoning_details, ...texts }: JsonObject,
  message: FoldedChat['message'],
): void {
  if (role !== undefined && role !== 'assistant') throw new Error('another role');
  for (const [key, text] of Object.entries(texts)) {
    if (key !== 'content' && key !== 'refusal' && key !== 'reasoning_content') throw new Error(`an unknown key ${key}`);
    message[key] += text;
  }
  message.reasoning_details.push(...((reasoning_details ?? []) as JsonObject[]));
  for (const { index, id, type, ...form } of (tool_calls ?? []) as JsonObject[]) {
    const { name, arguments: text, input } = (form.function ?? form.custom) as JsonObject;
    const at = Number(index);
    const open = message.tool_calls[at];
    if (at === message.tool_calls.length && id !== undefined) {
      message.tool_calls.push({ id: String(id), type: String(type), name: String(name), text: String(text ?? input) });
    } else if (open && at === message.tool_calls.length - 1 && id === undefined && name === undefined) {
      open.text += String(text ?? input);
    } else throw new Error(`a call out of its order: ${at} of ${message.tool_calls.length}`);
  }
}
