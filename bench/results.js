// @ts-check

/** @typedef {import('./comparison.js').Comparison} Comparison */

/**
 * One figure of the gateway alone, with its bound if it has one.
 *
 * @typedef {object} Figure
 * @property {string} label
 * @property {number} value
 * @property {string} unit
 * @property {number} [atMost]
 * @property {number} [atLeast]
 */

/**
 * Figures without a counterpart on the bare SDK, or that are not the time of one step.
 *
 * @typedef {object} Figures
 * @property {'figures'} kind
 * @property {string} name
 * @property {Figure[]} figures
 * @property {string[]} [notes] for the reader of the figures
 * @property {boolean} [isProof] whether its bounds hold on any machine: a run that misses them fails
 */

/**
 * How something grows.
 *
 * @typedef {object} Curve
 * @property {'curve'} kind
 * @property {string} name
 * @property {string} file name of its plot, without the ending
 * @property {{ label: string; isLogarithmic?: boolean }} x
 * @property {{ label: string }} y
 * @property {Series[]} series
 */

/**
 * @typedef {object} Series
 * @property {string} name
 * @property {Array<[x: number, y: number]>} points
 */

/** @typedef {Comparison | Figures | Curve} Result */

/** Whether a result is a proof that has failed. @param {Result} result */
export function isDisproved(result) {
  return result.kind === 'figures' && result.isProof === true && !result.figures.every(isWithinBounds);
}

/** @param {Figure} figure */
export function isWithinBounds({ value, atMost = Number.POSITIVE_INFINITY, atLeast = Number.NEGATIVE_INFINITY }) {
  return value >= atLeast && value <= atMost;
}
