import { isJson, type StreamEvent } from './sse-frames.ts';

export interface FoldedBlock {
  type: string;
  [field: string]: unknown;
}

/** A message, put together from a stream. */
export interface FoldedMessage {
  content: FoldedBlock[];
  [field: string]: unknown;
}

/**
 * Puts the events of a whole grammatical stream together, written independently of the product. An input that was cut
 * by a limit stays as it began.
 */
export function foldMessage(events: readonly StreamEvent[]): FoldedMessage {
  const message: FoldedMessage = { content: [] };
  let block: FoldedBlock = { type: '' };
  let json = '';
  for (const event of events) {
    if (event.type === 'message_start') Object.assign(message, event.message, { content: [] });
    if (event.type === 'content_block_start') {
      block = { ...(event.content_block as FoldedBlock) };
      json = '';
      message.content.push(block);
    }
    if (event.type === 'content_block_delta') {
      const delta = event.delta as FoldedBlock;
      if (delta.type === 'text_delta') block.text = `${block.text}${delta.text}`;
      if (delta.type === 'citations_delta') block.citations = [...((block.citations as []) ?? []), delta.citation];
      if (delta.type === 'thinking_delta') block.thinking = `${block.thinking}${delta.thinking}`;
      if (delta.type === 'signature_delta') block.signature = delta.signature;
      if (delta.type === 'input_json_delta') json += delta.partial_json;
    }
    if (event.type === 'content_block_stop' && isJson(json)) block.input = JSON.parse(json);
    if (event.type === 'message_delta') {
      const counted = Object.entries(event.usage as object).filter(([, count]) => count !== null);
      Object.assign(message, event.delta, { usage: { ...(message.usage as object), ...Object.fromEntries(counted) } });
    }
  }
  return message;
}
