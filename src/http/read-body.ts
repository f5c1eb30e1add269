import type { IncomingMessage } from 'node:http';
import { DEEPEST } from '../spec/body-depth.ts';
import { badRequest, type FailureError, failed } from '../spec/failures.ts';
import type { Intake } from './intake.ts';
import { JsonCounter } from './json-counter.ts';
import { Utf8Text } from './utf8-text.ts';

/** What a body may be at most. */
export interface BodyLimits {
  bytes: number;
  /** Fields and list items. */
  items: number;
  /** Lists and objects inside each other. */
  depth: number;
  /** The time without a byte, in milliseconds. */
  silenceMs: number;
  /** The time from the first wait for a byte to the last byte, in milliseconds. */
  totalMs: number;
}

/**
 * The limits of `isthmus serve`. The bytes are the API's own. A coding session of 2 MB has some 50,000 items.
 */
export const BODY_LIMITS: BodyLimits = {
  bytes: 32 * 1024 * 1024,
  items: 250_000,
  depth: DEEPEST,
  silenceMs: 30_000,
  totalMs: 180_000,
};

/**
 * Reads the body of a request as UTF-8 text, straight from the socket's events: the framework would build a web stream first,
 * which costs a millisecond a request. What is too large, too crowded or too slow is refused as soon as that is seen; the rest is
 * dropped as it comes.
 *
 * @throws FailureError `body_too_large`, `bad_request`, `request_timeout`, `intake_full`, `client_gone`
 */
export function readBody(
  incoming: IncomingMessage,
  limits: BodyLimits,
  intake: Intake,
): Promise<{ text: string; bytes: number }> {
  return new Promise((resolve, reject) => {
    const share = intake.open();
    const counter = new JsonCounter();
    const text = new Utf8Text();
    let length = 0;
    const settle = () => {
      clearTimeout(silence);
      clearTimeout(total);
      incoming.off('data', take).off('end', end).off('close', leave).off('error', leave);
      share.release();
    };
    const refuse = (error: FailureError) => {
      settle();
      reject(error);
    };
    const { silenceMs, totalMs } = limits;
    const silence = setTimeout(() => refuse(failed('request_timeout', { silentMs: silenceMs })), silenceMs);
    const total = setTimeout(() => refuse(failed('request_timeout', { totalMs })), totalMs);
    const decode = <Value>(step: () => Value): Value | undefined => {
      try {
        return step();
      } catch {
        refuse(badRequest('', 'The body is not valid UTF-8.'));
        return undefined;
      }
    };
    const take = (chunk: Buffer) => {
      silence.refresh();
      length += chunk.length;
      if (length > limits.bytes) return refuse(failed('body_too_large', { megabytes: limits.bytes / 1024 / 1024 }));
      if (!share.take(chunk.length)) return refuse(failed('intake_full'));
      counter.add(chunk);
      const crowded = crowding(counter, limits);
      if (crowded) return refuse(badRequest('', crowded));
      decode(() => text.add(chunk));
    };
    const end = () => {
      const whole = decode(() => text.end());
      if (whole === undefined) return;
      settle();
      resolve({ text: whole, bytes: length });
    };
    const leave = () => {
      settle();
      reject(failed('client_gone'));
    };
    if (incoming.destroyed) leave();
    else incoming.on('data', take).once('end', end).once('close', leave).once('error', leave);
  });
}

/** What a body has too much of, in words. */
function crowding({ items, deepest }: JsonCounter, limits: BodyLimits): string | undefined {
  if (deepest > limits.depth) return `The body is nested more than ${limits.depth} levels deep.`;
  if (items > limits.items) {
    return `The body has more than ${limits.items.toLocaleString('en')} fields and list items; send fewer or shorter messages.`;
  }
  return undefined;
}
