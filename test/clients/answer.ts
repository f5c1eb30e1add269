/** One content block of an answer, put together from its deltas. */
export interface AnswerBlock {
  type: string;
  [field: string]: unknown;
}

interface StreamEvent {
  type: string;
  index?: number;
  content_block?: AnswerBlock;
  delta?: Record<string, unknown>;
}

/**
 * The content of a streamed answer.
 *
 * @throws Error when the stream is not well-formed: one `message_start`, blocks one after the other with indices from 0,
 *   one `message_delta` with a stop reason, one `message_stop`
 */
export function readAnswer(stream: string): AnswerBlock[] {
  const events = stream
    .split('\n\n')
    .filter((frame) => frame !== '')
    .map(readFrame)
    .filter(({ type }) => type !== 'ping');
  const types = events.map(({ type }) => type);
  const shape = types.join(' ').replaceAll(/content_block_start( content_block_delta)* content_block_stop/g, 'block');
  if (!/^message_start (block )*message_delta message_stop$/.test(shape)) {
    throw new Error(`The stream is not well-formed: ${shape}`);
  }
  if (!events.at(-2)?.delta?.stop_reason) throw new Error('The stream has no stop reason.');

  const blocks: AnswerBlock[] = [];
  let partialJson = '';
  for (const { type, index, content_block, delta = {} } of events) {
    if (type === 'content_block_start' && content_block) {
      if (index !== blocks.length) throw new Error(`Block ${blocks.length} has the index ${index}.`);
      blocks.push({ ...content_block });
      partialJson = '';
    }
    const block = blocks.at(-1);
    if (!block) continue;
    if (type === 'content_block_delta') {
      if (index !== blocks.length - 1)
        throw new Error(`A delta of block ${index} is inside block ${blocks.length - 1}.`);
      if (delta.type === 'text_delta') block.text = `${block.text}${delta.text}`;
      if (delta.type === 'thinking_delta') block.thinking = `${block.thinking}${delta.thinking}`;
      if (delta.type === 'signature_delta') block.signature = delta.signature;
      if (delta.type === 'input_json_delta') partialJson += delta.partial_json;
    }
    if (type === 'content_block_stop' && partialJson !== '') block.input = JSON.parse(partialJson);
  }
  return blocks;
}

function readFrame(frame: string): StreamEvent {
  const match = /^event: (\S+)\ndata: (.*)$/.exec(frame);
  if (!match?.[2]) throw new Error(`Not a frame of an event stream: ${JSON.stringify(frame)}`);
  const event = JSON.parse(match[2]) as StreamEvent;
  if (event.type !== match[1]) throw new Error(`An event named ${match[1]} has the type ${event.type}.`);
  return event;
}
