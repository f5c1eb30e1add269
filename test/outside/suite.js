// @ts-check

/**
 * A suite that nobody here wrote, or its list of cases.
 *
 * @typedef {object} Suite
 * @property {string} name what selects it on the command line
 * @property {string} title with the version that is run
 * @property {string} about how it is run, and what passing means
 * @property {(stage: Stage) => Promise<Outcome>} run
 */

/**
 * What the suites run against.
 *
 * @typedef {object} Stage
 * @property {string} url of Isthmus
 * @property {import('../../dist/scripted-model/server.js').ScriptedModel} model behind Isthmus
 * @property {string} cache the folder of what npm has installed for suites
 * @property {string} folder a temporary one
 * @property {import('../../bench/cleanup.js').Cleanup} cleanup
 */

/**
 * @typedef {object} Result of one case
 * @property {string} name
 * @property {string[]} misses what fails, in words that are the same in each run; none when it passes
 */

/** Its results, or why it cannot run on this machine. @typedef {Result[] | { notRun: string }} Outcome */

/**
 * Runs one case.
 *
 * @param {string} name
 * @param {() => unknown} check throws, or returns what fails
 * @returns {Promise<Result>}
 */
export async function tryCase(name, check) {
  try {
    const misses = await check();
    return { name, misses: Array.isArray(misses) ? misses : [] };
  } catch (error) {
    return { name, misses: [told(error)] };
  }
}

/**
 * A failed answer by its status and type, with what it says of fields; any other error by its words.
 *
 * @param {any} error
 * @returns {string}
 */
export function told(error) {
  const body = error.error?.error;
  if (!body) return String(error.message ?? error);
  const [words = ''] = String(body.message).split(/[;.] /);
  return `${error.status} \`${body.type}\`: ${words}`;
}
