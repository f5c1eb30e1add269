// @ts-check
import { median } from './statistics.js';

/**
 * One step on both sides; times in milliseconds from "the client sends" to "the model is called", unless the name says
 * otherwise.
 *
 * @typedef {object} Comparison
 * @property {'comparison'} kind
 * @property {string} name
 * @property {number[]} gateway
 * @property {number[]} bare
 * @property {Target} target
 */

/**
 * A bound for the gateway's median: `times` the bare median, plus `plusMs` milliseconds.
 *
 * @typedef {object} Target
 * @property {string} text
 * @property {number} times
 * @property {number} plusMs
 * @property {boolean} [isLeast] whether the bound is a minimum; else it is a maximum
 */

/** @type {(factor: number) => Target} */
export const atMostTimes = (factor) => ({ text: `<= ${factor} x bare`, times: factor, plusMs: 0 });

/** @type {(milliseconds: number) => Target} */
export const atMostOver = (milliseconds) => ({ text: `<= bare + ${milliseconds} ms`, times: 1, plusMs: milliseconds });

/** @type {(factor: number) => Target} */
export const atLeastTimes = (factor) => ({ text: `>= ${factor} x bare`, times: factor, plusMs: 0, isLeast: true });

/** @type {(milliseconds: number) => Target} */
export const atMost = (milliseconds) => ({ text: `<= ${milliseconds} ms`, times: 0, plusMs: milliseconds });

/** @param {Comparison} comparison */
export function isMet({ gateway, bare, target }) {
  const bound = target.times * median(bare) + target.plusMs;
  return target.isLeast ? median(gateway) >= bound : median(gateway) <= bound;
}

/**
 * Samples both sides by turns, so that other load hits both alike. Each pair changes the order, because a step affects the
 * one after it.
 *
 * @template Sample
 * @param {number} samples of each side
 * @param {() => Promise<Sample>} gatewayStep resolves to its milliseconds, or whatever it measures
 * @param {() => Promise<Sample>} bareStep
 */
export async function byTurns(samples, gatewayStep, bareStep) {
  /** @type {{ gateway: Sample[]; bare: Sample[] }} */
  const times = { gateway: [], bare: [] };
  for (let index = 0; index < samples; index += 1) {
    if (index % 2 === 0) times.gateway.push(await gatewayStep());
    times.bare.push(await bareStep());
    if (index % 2 !== 0) times.gateway.push(await gatewayStep());
  }
  return times;
}
