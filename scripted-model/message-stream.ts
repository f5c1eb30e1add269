import type { Reply, ScriptedBlock } from './script.ts';

/** One raw event of a Messages API stream: `type` is also its SSE event name. */
export interface StreamEvent {
  type: string;
  [field: string]: unknown;
}

export interface MessageIdentity {
  id: string;
  model: string;
  usage: Record<string, number>;
  toolUseId: () => string;
}

/** The raw events of a whole, well-formed answer. */
export function* streamEvents(reply: Reply, identity: MessageIdentity): Generator<StreamEvent> {
  const { delta: more, ...begun } = reply;
  const message = completeMessage(begun, identity);
  yield {
    type: 'message_start',
    message: {
      ...message,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { ...message.usage, output_tokens: 1 },
    },
  };
  const length = reply.delta_length ?? 24;
  for (const [index, block] of message.content.entries()) {
    yield { type: 'content_block_start', index, content_block: emptied(block) };
    for (const delta of deltas(block, length, reply.content?.[index]))
      yield { type: 'content_block_delta', index, delta };
    yield { type: 'content_block_stop', index };
  }
  yield {
    type: 'message_delta',
    delta: { stop_reason: message.stop_reason, stop_sequence: message.stop_sequence, ...more },
    usage: message.usage,
  };
  yield { type: 'message_stop' };
}

/** The answer as the API's non-streaming JSON body. */
export function completeMessage(reply: Reply, identity: MessageIdentity) {
  const content = (reply.content ?? []).map((block) => complete(block, identity));
  const defaultStop = content.some((block) => block.type === 'tool_use') ? 'tool_use' : 'end_turn';
  return {
    id: identity.id,
    type: 'message',
    role: 'assistant',
    model: identity.model,
    content,
    stop_reason: reply.stop_reason ?? defaultStop,
    stop_sequence: reply.stop_sequence ?? null,
    usage: { ...identity.usage, ...reply.usage },
    ...reply.delta,
  };
}

type CompleteBlock = { type: string; [field: string]: unknown };

function complete(block: ScriptedBlock, identity: MessageIdentity): CompleteBlock {
  switch (block.type) {
    case 'tool_use': {
      const { type, id = identity.toolUseId(), name, input, raw_input: _, ...fields } = block;
      return { type, id, name, input, ...fields };
    }
    case 'thinking':
      return {
        type: 'thinking',
        thinking: block.thinking,
        signature: block.signature ?? `sig-${block.thinking.length}`,
      };
    default:
      return { ...block };
  }
}

function emptied(block: CompleteBlock): CompleteBlock {
  switch (block.type) {
    case 'text': {
      const { citations, ...text } = block;
      return { ...text, text: '', ...(citations === null ? { citations } : citations ? { citations: [] } : {}) };
    }
    case 'thinking':
      return { type: 'thinking', thinking: '', signature: '' };
    default:
      return 'input' in block ? { ...block, input: {} } : block;
  }
}

function* deltas(block: CompleteBlock, length: number, scripted: ScriptedBlock | undefined): Generator<object> {
  switch (block.type) {
    case 'text':
      for (const text of pieces(String(block.text), length)) yield { type: 'text_delta', text };
      for (const citation of (block.citations ?? []) as object[]) yield { type: 'citations_delta', citation };
      return;
    case 'thinking':
      for (const thinking of pieces(String(block.thinking), length)) yield { type: 'thinking_delta', thinking };
      yield { type: 'signature_delta', signature: block.signature };
      return;
    default: {
      if (!('input' in block)) return;
      const raw = scripted?.type === 'tool_use' ? scripted.raw_input : undefined;
      yield { type: 'input_json_delta', partial_json: '' };
      for (const partial_json of pieces(raw ?? JSON.stringify(block.input), length)) {
        yield { type: 'input_json_delta', partial_json };
      }
      return;
    }
  }
}

/** Cuts at UTF-16 code units: as with the API, a surrogate pair may be cut. */
function* pieces(text: string, length: number): Generator<string> {
  for (let start = 0; start < text.length; start += length) yield text.slice(start, start + length);
}
