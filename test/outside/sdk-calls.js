// @ts-check
import assert from 'node:assert/strict';

/**
 * How an SDK's error says what was refused.
 *
 * @typedef {object} ErrorReader
 * @property {(error: unknown) => string} told in the words of the table
 * @property {(error: unknown) => string} fieldOf the top-level field; any other text if there is none
 */

/**
 * Sends a request, and again without each field that is refused, until it passes.
 *
 * @param {Record<string, unknown>} request
 * @param {(request: Record<string, unknown>) => Promise<unknown>} send
 * @param {ErrorReader} reader
 * @returns {Promise<string[]>} what was refused
 */
export async function refusedOf(request, send, { told, fieldOf }) {
  const misses = [];
  for (let rest = request; ; ) {
    try {
      await send(rest);
      return misses;
    } catch (error) {
      misses.push(told(error));
      const field = fieldOf(error);
      if (!(field in rest)) return misses;
      rest = Object.fromEntries(Object.entries(rest).filter(([key]) => key !== field));
    }
  }
}

/**
 * The answer, the response that it came in, and both together, of one request.
 *
 * @param {any} promise of the SDK
 */
export async function whole(promise) {
  const raw = await promise.asResponse();
  assert.ok(raw instanceof Response);
  const answer = await promise;
  assert.ok(!(answer instanceof Response));
  const { data, response } = await promise.withResponse();
  assert.equal(data, answer);
  assert.equal(response, raw);
}
