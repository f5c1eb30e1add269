import type { AnswerMessage, ContentBlock, JsonObject } from '../../spec/messages.ts';
import { stepsBody } from '../../spec/steps-body.ts';
import type { HiddenSteps, TurnEvent } from '../../spec/turn-events.ts';
import type { AnswerEncoder } from '../dialect.ts';
import { textOfCall } from '../openai/call-arguments.ts';
import { clientCallId } from '../openai/call-ids.ts';
import { breaksOff, isAtLimit, LastInput } from '../openai/cut-answer.ts';
import { openAiError } from '../openai/openai-errors.ts';
import { refusalOf } from '../openai/refusal.ts';
import { usageOf } from '../openai/usage.ts';
import { detailOfThinking } from './reasoning-details.ts';

export interface ChatAnswer {
  /** Of the request's answer: `chatcmpl-…`. */
  id: string;
  /** Unix seconds. */
  created: number;
  /** As the client asked for it; an answer names the one that answered. */
  model: string;
  /** Names of tools whose input is free text. */
  customTools: ReadonlySet<string>;
  /** Whether a stream tells its usage. */
  includesUsage: boolean;
  /** Whether it is several answers of the model in one. Their texts are paragraphs then: what stood between them is hidden. */
  isOfAgent: boolean;
}

const PARAGRAPH = '\n\n';

const DONE = 'data: [DONE]\n\n';

const frame = (data: unknown) => `data: ${JSON.stringify(data)}\n\n`;

/** A stream of chat completion chunks. */
export class ChatStreamEncoder implements AnswerEncoder {
  readonly #answer: ChatAnswer;
  #model: string;
  /** How many calls have begun; a call has its number among calls, not among blocks. */
  #calls = 0;
  /** The open block, and what has come of it. */
  #block: ContentBlock | undefined;
  #heard = '';
  #signature = '';
  #thoughts = 0;
  /** Whether the text so far ends within a line. */
  #isInLine = false;
  /** Whether what comes is another text than the one so far. */
  #endsText = false;

  constructor(answer: ChatAnswer) {
    this.#answer = answer;
    this.#model = answer.model;
  }

  encode(event: TurnEvent): string {
    switch (event.type) {
      case 'message_start':
        this.#model = event.message.model;
        return this.#chunk({ role: 'assistant', content: '' });
      case 'content_block_start':
        return this.#begin(event.content_block);
      case 'content_block_delta':
        return this.#delta(event.delta);
      case 'content_block_stop':
        // Only what comes next says whether a call was cut.
        return this.#block?.type === 'tool_use' ? '' : this.#finish();
      case 'message_delta':
        return this.#finish(breaksOff(event.delta.stop_reason));
      case 'message_stop':
        return this.#finish() + this.#end(event.answer, event.hidden);
      case 'failure':
        return frame({ error: openAiError(event.failure) });
    }
  }

  /** A chunk that says nothing: clients that wait for data pay no heed to comments. */
  keepAlive(): string {
    return this.#chunk({});
  }

  #begin(block: ContentBlock): string {
    // A model's stream may lack the end of a block.
    const before = this.#finish();
    this.#block = block;
    this.#heard = '';
    this.#signature = '';
    return before + this.#firstWords(block);
  }

  #firstWords(block: ContentBlock): string {
    if (block.type === 'text') {
      this.#endsText = true;
      return this.#say(String(block.text ?? ''));
    }
    if (block.type === 'thinking') return block.thinking ? this.#chunk({ reasoning_content: block.thinking }) : '';
    if (block.type !== 'tool_use') return '';
    this.#calls += 1;
    return this.#call({ id: clientCallId(String(block.id)), ...this.#ofTool(block, '') });
  }

  /** A text that an agent says behind another begins a paragraph. */
  #say(text: string): string {
    if (text === '') return '';
    const space = this.#endsText && this.#isInLine && this.#answer.isOfAgent ? PARAGRAPH : '';
    this.#endsText = false;
    this.#isInLine = !/\s$/.test(text);
    return this.#chunk({ content: `${space}${text}` });
  }

  /** What belongs to another type of block is dropped, as in the whole answer. */
  #delta(delta: JsonObject): string {
    switch (`${delta.type} of ${this.#block?.type}`) {
      case 'text_delta of text':
        return this.#say(String(delta.text));
      case 'thinking_delta of thinking':
        this.#heard += String(delta.thinking);
        return this.#chunk({ reasoning_content: delta.thinking });
      case 'signature_delta of thinking':
        this.#signature += String(delta.signature);
        return '';
      case 'input_json_delta of tool_use': {
        const part = String(delta.partial_json ?? '');
        this.#heard += part;
        return part === '' || this.#isCustom() ? '' : this.#call({ function: { arguments: part } });
      }
      default:
        return '';
    }
  }

  /** Ends the open block, if there is one. */
  #finish(isCut = false): string {
    const block = this.#block;
    this.#block = undefined;
    if (block === undefined) return '';
    if (block.type === 'thinking' || block.type === 'redacted_thinking') {
      const whole = {
        ...block,
        thinking: `${block.thinking ?? ''}${this.#heard}`,
        signature: `${block.signature ?? ''}${this.#signature}`,
      };
      const detail = detailOfThinking(whole, this.#thoughts);
      this.#thoughts += 1;
      return this.#chunk({ reasoning_details: [detail] });
    }
    if (block.type !== 'tool_use') return '';
    const isCustom = this.#answer.customTools.has(String(block.name));
    const text = textOfCall(block, this.#heard, { isCustom, isCut });
    if (isCustom) return this.#call({ custom: { input: text } });
    return this.#heard === '' ? this.#call({ function: { arguments: text } }) : '';
  }

  #end(answer: AnswerMessage, hidden: HiddenSteps | undefined): string {
    const steps = hidden && { isthmus_agent: { ...stepsBody(hidden.steps), kept: hidden.isKept ?? false } };
    const refusal = refusalOf(answer);
    const last = this.#chunk(refusal === undefined ? {} : { refusal }, finishReason(answer, this.#calls), steps);
    const usage = this.#answer.includesUsage
      ? frame({ ...this.#head(), choices: [], usage: chatUsage(answer.usage) })
      : '';
    return `${last}${usage}${DONE}`;
  }

  #isCustom(): boolean {
    return this.#block?.type === 'tool_use' && this.#answer.customTools.has(String(this.#block.name));
  }

  #ofTool({ name }: ContentBlock, text: string): JsonObject {
    return this.#answer.customTools.has(String(name))
      ? { type: 'custom', custom: { name, input: text } }
      : { type: 'function', function: { name, arguments: text } };
  }

  #call(fields: JsonObject): string {
    return this.#chunk({ tool_calls: [{ index: this.#calls - 1, ...fields }] });
  }

  #chunk(delta: JsonObject, finish_reason: string | null = null, more: JsonObject = {}): string {
    return frame({ ...this.#head(), choices: [{ index: 0, delta, logprobs: null, finish_reason }], ...more });
  }

  #head(): JsonObject {
    const { id, created } = this.#answer;
    return { id, object: 'chat.completion.chunk', created, model: this.#model };
  }
}

/** One JSON body: the message in the turn's last event. */
export function wholeChatEncoder(about: ChatAnswer): AnswerEncoder {
  const lastInput = new LastInput();
  return {
    encode: (event) => {
      lastInput.hear(event);
      return event.type === 'message_stop' ? JSON.stringify(chatCompletion(event.answer, about, lastInput.json)) : '';
    },
    keepAlive: () => '',
  };
}

/** @param lastInput what came of the input of its last block */
function chatCompletion(
  answer: AnswerMessage,
  { id, created, customTools, isOfAgent }: ChatAnswer,
  lastInput: string,
): JsonObject {
  const { content } = answer;
  const text = isOfAgent ? paragraphs(content) : joinedText(content);
  const calls = content.flatMap((block, at): JsonObject[] => {
    if (block.type !== 'tool_use') return [];
    const { id: callId, name } = block;
    const call = { id: clientCallId(String(callId)) };
    const isCustom = customTools.has(String(name));
    const isCut = at === content.length - 1 && breaksOff(answer.stop_reason);
    const text = textOfCall(block, isCut ? lastInput : '', { isCustom, isCut });
    return [
      isCustom
        ? { ...call, type: 'custom', custom: { name, input: text } }
        : { ...call, type: 'function', function: { name, arguments: text } },
    ];
  });
  const thoughts = content.filter(({ type }) => type === 'thinking' || type === 'redacted_thinking');
  const thought = thoughts.map(({ thinking }) => thinking ?? '').join('');
  const message = {
    role: 'assistant',
    content: text === '' ? null : text,
    refusal: refusalOf(answer) ?? null,
    ...(calls.length > 0 && { tool_calls: calls }),
    ...(thought !== '' && { reasoning_content: thought }),
    ...(thoughts.length > 0 && { reasoning_details: thoughts.map(detailOfThinking) }),
  };
  return {
    id,
    object: 'chat.completion',
    created,
    model: answer.model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishReason(answer, calls.length) }],
    usage: chatUsage(answer.usage),
  };
}

/** The text of an answer as its client gets it, in one string. */
export function joinedText(content: readonly ContentBlock[]): string {
  return content.map(({ type, text }) => (type === 'text' ? String(text) : '')).join('');
}

/** The texts of an agent's answer, each on lines of its own. */
function paragraphs(content: readonly ContentBlock[]): string {
  const texts = content.flatMap(({ type, text }) => (type === 'text' && text !== '' ? [String(text)] : []));
  return texts.reduce((said, text) => `${said}${said === '' || /\s$/.test(said) ? '' : PARAGRAPH}${text}`, '');
}

function chatUsage(usage: JsonObject): JsonObject {
  const { prompt, cached, cacheWrites, completion, reasoning, total } = usageOf(usage);
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: total,
    prompt_tokens_details: { cached_tokens: cached, cache_write_tokens: cacheWrites },
    completion_tokens_details: { reasoning_tokens: reasoning },
  };
}

/** By the calls where the model's word would mislead: clients look for calls where it says so, and nowhere else. */
function finishReason({ stop_reason }: AnswerMessage, calls: number): string {
  if (isAtLimit(stop_reason)) return 'length';
  if (stop_reason === 'refusal') return 'content_filter';
  return calls > 0 ? 'tool_calls' : 'stop';
}
