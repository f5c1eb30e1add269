import type { AnswerMessage, ContentBlock, JsonObject } from '../../spec/messages.ts';
import { textOfCall } from '../openai/call-arguments.ts';
import { clientCallId } from '../openai/call-ids.ts';
import { breaksOff, isAtLimit } from '../openai/cut-answer.ts';
import { refusalOf } from '../openai/refusal.ts';
import { carriedThinking, encryptedThinking } from './reasoning-items.ts';

/** What a tool of the request is called by its client. */
export interface ToolName {
  name: string;
  namespace?: string;
  /** Whether its input is free text. */
  isCustom: boolean;
}

/** What the items of an answer are made with. */
export interface ItemsAbout {
  /** Of the answer: `resp_…`. */
  id: string;
  /** As the request asks for it. */
  model: string;
  /** The request's tools by the names that the model has. */
  tools: ReadonlyMap<string, ToolName>;
}

/** What has come of the input of a call, and whether the answer breaks off in it. */
export interface CameInput {
  json: string;
  isCut: boolean;
}

export type ItemStatus = 'in_progress' | 'completed' | 'incomplete';

/** Why an answer ends before its end; undefined for one that is whole. */
export function cutReason({ stop_reason }: { stop_reason: string | null }): string | undefined {
  return isAtLimit(stop_reason) ? 'max_output_tokens' : undefined;
}

/** The words of a refusal that says nothing; clients show none without any. */
const REFUSED = 'The model refuses to answer.';

/** The words of a refusal, for an item of its own: Codex would repeat an answer that a filter has cut. */
export function refusalText(answer: AnswerMessage): string | undefined {
  return answer.stop_reason === 'refusal' ? (refusalOf(answer) ?? REFUSED) : undefined;
}

/**
 * The items of a whole answer: one for each block that a client of OpenAI can have.
 *
 * @param lastInput what came of the input of its last block
 */
export function outputItems(answer: AnswerMessage, about: ItemsAbout, lastInput: string): JsonObject[] {
  const last = answer.content.length - 1;
  const items: JsonObject[] = [];
  for (const [at, block] of answer.content.entries()) {
    if (!isItem(block)) continue;
    const status = at === last && cutReason(answer) !== undefined ? 'incomplete' : 'completed';
    const isCut = at === last && breaksOff(answer.stop_reason);
    items.push(outputItem(block, items.length, status, about, { json: isCut ? lastInput : '', isCut }));
  }
  const refusal = refusalText(answer);
  if (refusal !== undefined) items.push(refusalItem(refusal, items.length, 'completed', about));
  return items;
}

/** Whether a block is an item at all: an empty text is none, nor is what the API's own tools do. */
export function isItem({ type, text }: ContentBlock): boolean {
  if (type === 'text') return text !== '';
  return type === 'thinking' || type === 'redacted_thinking' || type === 'tool_use';
}

/**
 * @param index among the items of the answer
 * @param came of the input of a call; the block's own input says it, where nothing came
 */
export function outputItem(
  block: ContentBlock,
  index: number,
  status: ItemStatus,
  about: ItemsAbout,
  came: CameInput = { json: '', isCut: false },
): JsonObject {
  const id = itemId(block, index, about);
  if (block.type === 'text') {
    return {
      id,
      type: 'message',
      status,
      role: 'assistant',
      content: status === 'in_progress' ? [] : [textPart(String(block.text))],
    };
  }
  if (block.type !== 'tool_use') return reasoningItem(id, block, status, about);
  const { name, namespace, isCustom } = clientName(block, about);
  const call = {
    id,
    type: isCustom ? 'custom_tool_call' : 'function_call',
    status,
    call_id: clientCallId(String(block.id)),
    name,
    ...(namespace !== undefined && { namespace }),
  };
  const text = status === 'in_progress' ? '' : callText(block, came, about);
  return isCustom ? { ...call, input: text } : { ...call, arguments: text };
}

/** What a call is made with, as its client gets it. */
export function callText(block: ContentBlock, { json, isCut }: CameInput, about: ItemsAbout): string {
  return textOfCall(block, json, { isCustom: clientName(block, about).isCustom, isCut });
}

export function clientName({ name }: ContentBlock, { tools }: ItemsAbout): ToolName {
  return tools.get(String(name)) ?? { name: String(name), isCustom: false };
}

function reasoningItem(id: string, block: ContentBlock, status: ItemStatus, { model }: ItemsAbout): JsonObject {
  if (status === 'in_progress') return { id, type: 'reasoning', summary: [] };
  const thought = String(block.thinking ?? '');
  return {
    id,
    type: 'reasoning',
    summary: thought === '' ? [] : [{ type: 'summary_text', text: thought }],
    encrypted_content: encryptedThinking(model, [carriedThinking(block)]),
  };
}

export function refusalItem(refusal: string, index: number, status: ItemStatus, about: ItemsAbout): JsonObject {
  const content = status === 'in_progress' ? [] : [{ type: 'refusal', refusal }];
  return { id: itemId({ type: 'text' }, index, about), type: 'message', status, role: 'assistant', content };
}

export function textPart(text: string): JsonObject {
  return { type: 'output_text', text, annotations: [], logprobs: [] };
}

const PREFIXES: Readonly<Record<string, string>> = { text: 'msg', thinking: 'rs', redacted_thinking: 'rs' };

/** Of the answer's id, so that a stream and a whole body have the same. */
function itemId(block: ContentBlock, index: number, about: ItemsAbout): string {
  const call = block.type === 'tool_use' && clientName(block, about).isCustom ? 'ctc' : 'fc';
  return `${PREFIXES[block.type] ?? call}_${about.id.replace(/^resp_/, '')}_${index}`;
}
