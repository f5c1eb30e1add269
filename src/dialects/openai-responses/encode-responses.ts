import type { Failure } from '../../spec/failures.ts';
import type { AnswerMessage, ContentBlock, JsonObject } from '../../spec/messages.ts';
import { stepsBody } from '../../spec/steps-body.ts';
import type { HiddenSteps, TurnEvent } from '../../spec/turn-events.ts';
import type { AnswerEncoder } from '../dialect.ts';
import { breaksOff, LastInput } from '../openai/cut-answer.ts';
import { openAiError } from '../openai/openai-errors.ts';
import { usageOf } from '../openai/usage.ts';
import {
  type CameInput,
  callText,
  clientName,
  cutReason,
  type ItemStatus,
  type ItemsAbout,
  isItem,
  outputItem,
  outputItems,
  refusalItem,
  refusalText,
  textPart,
} from './output-items.ts';

export interface ResponsesAnswer extends ItemsAbout {
  /** Unix seconds. */
  createdAt: number;
  /** The time, in Unix seconds. */
  now(): number;
  /** The fields of the request that the answer repeats. */
  echo: JsonObject;
  /** Hears the items of an answer when it is complete. */
  keep(items: readonly JsonObject[]): void;
}

/** The whole answer, or as much of it as there is, in JSON. */
interface ResponseState {
  status: 'in_progress' | 'completed' | 'incomplete' | 'failed';
  model: string;
  /** The items, each in JSON. */
  output: readonly string[];
  usage?: JsonObject;
  incomplete?: string;
  error?: JsonObject;
  more?: JsonObject;
}

/** A stream of response events. */
export class ResponsesStreamEncoder implements AnswerEncoder {
  readonly #about: ResponsesAnswer;
  readonly #echo: string;
  #model: string;
  #sequence = 0;
  /** The items that are done, and the same in JSON. */
  readonly #items: JsonObject[] = [];
  readonly #output: string[] = [];
  /** The open block, what has come of it, and whether no more comes. */
  #block: ContentBlock | undefined;
  #heard = '';
  #signature = '';
  #isOver = false;
  /** Whether the answer breaks off in its last block. */
  #isCut = false;
  /** The id of its item, as soon as it is one. */
  #itemId: unknown;

  constructor(about: ResponsesAnswer) {
    this.#about = about;
    this.#echo = fieldsOf(about.echo);
    this.#model = about.model;
  }

  encode(event: TurnEvent): string {
    switch (event.type) {
      case 'message_start':
        this.#model = event.message.model;
        return this.#begin();
      case 'content_block_start':
        return this.#finish() + this.#open(event.content_block);
      case 'content_block_delta':
        return this.#delta(event.delta);
      case 'content_block_stop':
        // Only what comes next says whether the block was cut.
        this.#isOver = true;
        return '';
      case 'message_delta':
        this.#isCut = breaksOff(event.delta.stop_reason);
        return this.#finish(cutReason(event.delta) === undefined ? 'completed' : 'incomplete');
      case 'message_stop':
        return this.#finish() + this.#end(event.answer, event.hidden);
      case 'failure':
        return this.#begin() + (this.#isSaid() ? this.#finish() : '') + this.#fail(event.failure);
    }
  }

  /** An event that says nothing new: clients that wait for data pay no heed to comments. */
  keepAlive(): string {
    return this.#begin() || this.#whole('response.in_progress', this.#running());
  }

  /** What stands before everything else; empty if it has been said. */
  #begin(): string {
    if (this.#sequence > 0) return '';
    return this.#whole('response.created', this.#running()) + this.#whole('response.in_progress', this.#running());
  }

  #open(block: ContentBlock): string {
    this.#block = block;
    this.#heard = '';
    this.#signature = '';
    this.#itemId = undefined;
    this.#isOver = false;
    // A text may stay empty, and is no item then.
    if (block.type === 'text') return this.#text(String(block.text ?? ''));
    return isItem(block) ? this.#add() + this.#thought(String(block.thinking ?? '')) : '';
  }

  /** What belongs to another type of block is dropped, as in the whole answer. */
  #delta(delta: JsonObject): string {
    const block = this.#block;
    switch (`${delta.type} of ${block?.type}`) {
      case 'text_delta of text':
        return this.#text(String(delta.text));
      case 'thinking_delta of thinking':
        return this.#thought(String(delta.thinking));
      case 'signature_delta of thinking':
        this.#signature += String(delta.signature);
        return '';
      case 'input_json_delta of tool_use': {
        const part = String(delta.partial_json ?? '');
        this.#heard += part;
        if (part === '' || clientName(block as ContentBlock, this.#about).isCustom) return '';
        return this.#event('response.function_call_arguments.delta', { ...this.#place(), delta: part });
      }
      default:
        return '';
    }
  }

  #text(delta: string): string {
    if (delta === '') return '';
    const begun =
      this.#itemId === undefined
        ? this.#add() + this.#event('response.content_part.added', { ...this.#part(), part: textPart('') })
        : '';
    this.#heard += delta;
    return begun + this.#event('response.output_text.delta', { ...this.#part(), delta, logprobs: [] });
  }

  #thought(delta: string): string {
    if (delta === '') return '';
    const begun =
      this.#heard === ''
        ? this.#event('response.reasoning_summary_part.added', { ...this.#summary(), part: summaryPart('') })
        : '';
    this.#heard += delta;
    return begun + this.#event('response.reasoning_summary_text.delta', { ...this.#summary(), delta });
  }

  #add(): string {
    const item = this.#item('in_progress');
    this.#itemId = item.id;
    return this.#event('response.output_item.added', { output_index: this.#items.length, item });
  }

  #item(status: ItemStatus): JsonObject {
    const block = this.#block as ContentBlock;
    return outputItem(this.#wholeBlock(block), this.#items.length, status, this.#about, this.#came());
  }

  #came(): CameInput {
    return { json: this.#heard, isCut: this.#isCut };
  }

  #wholeBlock(block: ContentBlock): ContentBlock {
    if (block.type === 'text') return { ...block, text: this.#heard };
    if (block.type !== 'thinking') return block;
    return {
      ...block,
      thinking: this.#heard,
      signature: `${block.signature ?? ''}${this.#signature}`,
    };
  }

  /** Whether the open item is whole; of a call only the end of the answer tells. */
  #isSaid(): boolean {
    return this.#isOver && this.#block?.type !== 'tool_use';
  }

  /** Ends the open item, if there is one. */
  #finish(status: ItemStatus = 'completed'): string {
    const block = this.#block;
    if (block === undefined) return '';
    const said = this.#itemId === undefined ? '' : this.#lastWords(block) + this.#done(this.#item(status));
    this.#block = undefined;
    return said;
  }

  #lastWords(block: ContentBlock): string {
    if (block.type === 'text') {
      const text = this.#heard;
      return (
        this.#event('response.output_text.done', { ...this.#part(), text, logprobs: [] }) +
        this.#event('response.content_part.done', { ...this.#part(), part: textPart(text) })
      );
    }
    if (block.type === 'tool_use') return this.#callDone(block);
    const text = this.#heard;
    if (text === '') return '';
    return (
      this.#event('response.reasoning_summary_text.done', { ...this.#summary(), text }) +
      this.#event('response.reasoning_summary_part.done', { ...this.#summary(), part: summaryPart(text) })
    );
  }

  #callDone(block: ContentBlock): string {
    const place = this.#place();
    const text = callText(block, this.#came(), this.#about);
    const { name, isCustom } = clientName(block, this.#about);
    if (isCustom) {
      const said = text === '' ? '' : this.#event('response.custom_tool_call_input.delta', { ...place, delta: text });
      return said + this.#event('response.custom_tool_call_input.done', { ...place, input: text });
    }
    const unsaid =
      this.#heard === '' ? this.#event('response.function_call_arguments.delta', { ...place, delta: text }) : '';
    return unsaid + this.#event('response.function_call_arguments.done', { ...place, name, arguments: text });
  }

  #done(item: JsonObject): string {
    const index = this.#items.length;
    const json = JSON.stringify(item);
    this.#items.push(item);
    this.#output.push(json);
    return this.#frame('response.output_item.done', `"output_index":${index},"item":${json}`);
  }

  #refusal(refusal: string): string {
    const index = this.#items.length;
    const item = refusalItem(refusal, index, 'completed', this.#about);
    const part = { item_id: item.id, output_index: index, content_index: 0 };
    return (
      this.#event('response.output_item.added', {
        output_index: index,
        item: refusalItem(refusal, index, 'in_progress', this.#about),
      }) +
      this.#event('response.content_part.added', { ...part, part: { type: 'refusal', refusal: '' } }) +
      this.#event('response.refusal.delta', { ...part, delta: refusal }) +
      this.#event('response.refusal.done', { ...part, refusal }) +
      this.#event('response.content_part.done', { ...part, part: { type: 'refusal', refusal } }) +
      this.#done(item)
    );
  }

  #end(answer: AnswerMessage, hidden: HiddenSteps | undefined): string {
    const refusal = refusalText(answer);
    const refused = refusal === undefined ? '' : this.#refusal(refusal);
    this.#about.keep(this.#items);
    const state = endState(answer, this.#output, hidden);
    return refused + this.#whole(`response.${state.status}`, state);
  }

  /**
   * As OpenAI's own server does it: its SDK throws at the first event and takes the second for an answer like any other; Codex
   * knows the second alone. OpenAI's server has the error one level deeper than its schema, so it stands in both places.
   */
  #fail(failure: Failure): string {
    const error = openAiError(failure);
    const { message, code, type, param } = error;
    // Codex repeats what it takes for the server's fault.
    const told = { code: code ?? (type === 'server_error' ? type : 'invalid_prompt'), message };
    return (
      this.#event('error', { code, message, param, error }) +
      this.#whole('response.failed', { ...this.#running(), status: 'failed', error: told })
    );
  }

  #running(): ResponseState {
    return { status: 'in_progress', model: this.#model, output: this.#output };
  }

  #whole(type: string, state: ResponseState): string {
    return this.#frame(type, `"response":${responseJson(this.#about, this.#echo, state)}`);
  }

  #place(): JsonObject {
    return { item_id: this.#itemId, output_index: this.#items.length };
  }

  #part(): JsonObject {
    return { ...this.#place(), content_index: 0 };
  }

  #summary(): JsonObject {
    return { ...this.#place(), summary_index: 0 };
  }

  #event(type: string, fields: JsonObject): string {
    return this.#frame(type, fieldsOf(fields));
  }

  /** @param fields in JSON, without braces */
  #frame(type: string, fields: string): string {
    const sequence = this.#sequence;
    this.#sequence += 1;
    return `event: ${type}\ndata: {"type":"${type}","sequence_number":${sequence},${fields}}\n\n`;
  }
}

/** One JSON body: the message in the turn's last event. */
export function wholeResponseEncoder(about: ResponsesAnswer): AnswerEncoder {
  const lastInput = new LastInput();
  return {
    encode: (event) => {
      lastInput.hear(event);
      if (event.type !== 'message_stop') return '';
      const items = outputItems(event.answer, about, lastInput.json);
      about.keep(items);
      const output = items.map((item) => JSON.stringify(item));
      return responseJson(about, fieldsOf(about.echo), endState(event.answer, output, event.hidden));
    },
    keepAlive: () => '',
  };
}

function endState(answer: AnswerMessage, output: readonly string[], hidden: HiddenSteps | undefined): ResponseState {
  const incomplete = cutReason(answer);
  return {
    status: incomplete === undefined ? 'completed' : 'incomplete',
    model: answer.model,
    output,
    usage: responseUsage(answer.usage),
    ...(incomplete !== undefined && { incomplete }),
    ...(hidden && { more: { isthmus_agent: { ...stepsBody(hidden.steps), kept: hidden.isKept ?? false } } }),
  };
}

/** @param echo in JSON, without braces: it may be long, and an answer has it several times */
function responseJson({ id, createdAt, now }: ResponsesAnswer, echo: string, state: ResponseState): string {
  const { status, model, output, usage = null, incomplete, error = null, more = {} } = state;
  const head = { id, object: 'response', created_at: createdAt, status, model };
  const tail = {
    usage,
    error,
    incomplete_details: incomplete === undefined ? null : { reason: incomplete },
    completed_at: status === 'completed' ? now() : null,
    ...more,
  };
  return `{${fieldsOf(head)},"output":[${output.join(',')}],${fieldsOf(tail)},${echo}}`;
}

/** The fields of an object in JSON, without braces. */
function fieldsOf(object: JsonObject): string {
  return JSON.stringify(object).slice(1, -1);
}

function responseUsage(usage: JsonObject): JsonObject {
  const { prompt, cached, cacheWrites, completion, reasoning, total } = usageOf(usage);
  return {
    input_tokens: prompt,
    input_tokens_details: { cached_tokens: cached, cache_write_tokens: cacheWrites },
    output_tokens: completion,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: total,
  };
}

function summaryPart(text: string): JsonObject {
  return { type: 'summary_text', text };
}
