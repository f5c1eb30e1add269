// @ts-check
import { parseArgs } from 'node:util';

export const USAGE = `Usage: npm run bench -- [flags]

Compares the gateway with the bare Agent SDK: from "the client sends" to "the model is called", both in one run and by
turns, over a scripted model on 127.0.0.1. It reports and never fails for being slow.

  --quick            few samples, for a machine that only has to see that it works
  --warm N           samples of a turn on a live process (default 30, quick 6)
  --cold N           samples of a turn that starts a process (default 10, quick 3)
  --pause MS         what the client's tool, or its user, takes between an answer and the next turn (default 50)
  --only TEXT        only the rows whose name has this text
  --save             write the raw samples to bench/results/<date>.json
  --help`;

/**
 * @typedef {object} Options
 * @property {number} warm samples of a turn on a live process
 * @property {number} cold samples of a turn that starts a process
 * @property {number} pauseMs between an answer and the next turn
 * @property {string} only part of the names of the rows to run; empty for all
 * @property {boolean} save
 * @property {boolean} help
 */

/**
 * Reads the command line.
 *
 * @param {string[]} args
 * @returns {Options}
 */
export function parseOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      warm: { type: 'string' },
      cold: { type: 'string' },
      pause: { type: 'string', default: '50' },
      only: { type: 'string', default: '' },
      save: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  return {
    warm: count(values.warm ?? (values.quick ? '6' : '30'), '--warm', 1),
    cold: count(values.cold ?? (values.quick ? '3' : '10'), '--cold', 1),
    pauseMs: count(values.pause, '--pause', 0),
    only: values.only,
    save: values.save,
    help: values.help,
  };
}

/** @type {(text: string, flag: string, least: number) => number} */
function count(text, flag, least) {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least) {
    throw new Error(`${flag} must be a whole number of at least ${least} (it is ${JSON.stringify(text)}).`);
  }
  return value;
}
