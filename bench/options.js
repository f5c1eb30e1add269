// @ts-check
import { parseArgs } from 'node:util';

export const USAGE = `Usage: npm run bench -- [flags]

Compares the gateway with the bare Agent SDK, both in one run and by turns, over a scripted model on 127.0.0.1, and
measures what the gateway costs by itself. It never fails for being slow, only where no machine is an excuse: for a block
that is lost or added, a prompt prefix that changes, a used process that sends something else than a new one, an agent that
calls the model more often than its work needs, a process or a file that stays.

  --quick            fewer rows and samples, for a machine that only has to see that it works
  --warm N           samples of a turn on a live process (default 30, quick 3)
  --cold N           samples of a turn that starts a process (default 10, quick 1)
  --rounds N         samples of many conversations at once (default 5, quick 1)
  --seconds N        how long a load on the gateway alone is kept up (default 20, quick 1)
  --opens N          conversations that are begun before looking for processes left behind (default 1000, quick 7)
  --pause MS         what the client's tool, or its user, takes between an answer and the next turn (default 50)
  --only TEXT        only the rows whose name has this text
  --profile FOLDER   write a CPU profile of the gateway over the engine's stand-in
  --save             write the raw samples of a whole run to bench/results/<date>-<machine>.json
  --help`;

/**
 * @typedef {object} Options
 * @property {number} warm samples of a turn on a live process
 * @property {number} cold samples of a turn that spawns a process
 * @property {number} practice turns before the samples: a gateway runs for days, so its first moments
 *   are not measured
 * @property {number} rounds samples of many conversations at once
 * @property {number} seconds of a load on the gateway alone
 * @property {number} opens conversations to begin before looking for processes left behind
 * @property {number} pauseMs between an answer and the next turn
 * @property {string} only part of the names of the rows to run; empty for all
 * @property {string} profile folder for CPU profiles; empty for none
 * @property {boolean} isQuick
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
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      opens: { type: 'string' },
      pause: { type: 'string', default: '50' },
      only: { type: 'string', default: '' },
      profile: { type: 'string', default: '' },
      save: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { quick } = values;
  if (values.save && (quick || values.only !== '')) {
    throw new Error('--save keeps a whole run, of which the docs are made: leave --quick and --only away.');
  }
  return {
    warm: count(values.warm ?? (quick ? '3' : '30'), '--warm', 1),
    cold: count(values.cold ?? (quick ? '1' : '10'), '--cold', 1),
    practice: quick ? 3 : 40,
    rounds: count(values.rounds ?? (quick ? '1' : '5'), '--rounds', 1),
    seconds: count(values.seconds ?? (quick ? '1' : '20'), '--seconds', 1),
    opens: count(values.opens ?? (quick ? '7' : '1000'), '--opens', 3),
    pauseMs: count(values.pause, '--pause', 0),
    only: values.only,
    profile: values.profile,
    isQuick: quick,
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
