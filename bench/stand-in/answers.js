// @ts-check

/** @typedef {import('../../src/spec/messages.ts').AnswerMessage} AnswerMessage */
/** @typedef {import('../../src/engine/turn/answer-fold.ts').RawEvent} RawEvent */

const PIECES = ['I have looked ', 'at what you ', 'asked for ', 'and will go on.'];
/** The text of every answer. */
export const WORDS = PIECES.join('');

/** @type {AnswerMessage} */
export const ANSWER = {
  id: 'msg_stand_in',
  type: 'message',
  role: 'assistant',
  model: 'stand-in',
  content: [{ type: 'text', text: WORDS }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 1000, output_tokens: 12 },
};

/** @param {string} text @returns {RawEvent} */
const delta = (text) => ({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } });

/**
 * The events of an answer without its last one: before its text, its text, and after it.
 *
 * @param {string} model
 * @returns {[head: RawEvent[], deltas: RawEvent[], tail: RawEvent[]]}
 */
export function answerEvents(model) {
  return [
    [
      { type: 'message_start', message: { ...ANSWER, model, content: [], stop_reason: null } },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    ],
    PIECES.map(delta),
    [
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: ANSWER.usage },
    ],
  ];
}

/** A piece of text with the time when it was made, by the clock that all processes of the machine share. */
export function stampedDelta() {
  return delta(`a piece of the answer, made at <${sharedClock()}>, and some words more to make it as long as most`);
}

/**
 * Finds when the pieces in a part of a stream were made.
 *
 * @param {string} text
 */
export function stampsIn(text) {
  return Array.from(text.matchAll(/made at <([\d.]+)>/g), ([, stamp]) => Number(stamp));
}

/** Milliseconds since the machine started. */
export function sharedClock() {
  return Number(process.hrtime.bigint()) / 1e6;
}

/**
 * A system prompt that asks for an answer at a steady pace.
 *
 * @param {{ events: number; everyMs: number }} stream
 */
export function streamWish({ events, everyMs }) {
  return `Stream ${events} events, one every ${everyMs} ms.`;
}

/** A system prompt of a conversation whose process ends with its answer: what it has been sent is not held for a next turn. */
export const LEAVE_NOTHING = 'Leave nothing behind.';

/** @param {string} system */
export function readWish(system) {
  const match = /^Stream (\d+) events, one every (\d+) ms\.$/.exec(system);
  return {
    stream: match ? { events: Number(match[1]), everyMs: Number(match[2]) } : undefined,
    leavesNothing: system === LEAVE_NOTHING,
  };
}
