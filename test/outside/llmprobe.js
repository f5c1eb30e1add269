// @ts-check
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { installPackages } from '../clients/install-packages.js';

const VERSION = '0.6.12';
/** What Isthmus serves; of any other surface there is one row. */
const SERVED = ['messages', 'count-tokens', 'models', 'chat', 'responses'];

/** @satisfies {import('./suite.js').Suite} */
export const llmprobe = {
  name: 'llmprobe',
  title: `\`llmprobe\` ${VERSION}`,
  about: `All that it asserts at its default depth of the surfaces that Isthmus serves; what it only recommends is a row of its
own, named "should". What it judges of the model (capability, agents, speed) is not here: the model is scripted.`,
  /** @param {import('./suite.js').Stage} stage */
  async run({ url, cache, folder }) {
    const installed = await installPackages(cache, [`llmprobe@${VERSION}`]);
    const report = join(folder, 'report.json');
    mkdirSync(folder, { recursive: true });
    const arguments_ = [
      url,
      '-k',
      'any',
      '-m',
      'claude-sonnet-4-5',
      '--no-bench',
      '--no-save',
      '--concurrency',
      '4',
      '--save',
      report,
    ];
    const child = spawn(
      process.execPath,
      [join(installed, 'node_modules', 'llmprobe', main(installed)), ...arguments_],
      {
        env: { PATH: process.env.PATH ?? '', HOME: folder, TMPDIR: folder },
        stdio: 'ignore',
      },
    );
    const [code] = await once(child, 'exit');
    if (!existsSync(report)) throw new Error(`llmprobe ended with ${code} and left no report.`);
    return read(JSON.parse(readFileSync(report, 'utf8')).conformance);
  },
};

/** @param {string} installed */
function main(installed) {
  const { bin } = JSON.parse(readFileSync(join(installed, 'node_modules', 'llmprobe', 'package.json'), 'utf8'));
  return typeof bin === 'string' ? bin : bin.llmprobe;
}

/**
 * @typedef {object} Finding
 * @property {string} name
 * @property {string} surface
 * @property {string} outcome
 * @property {string} [reason]
 * @property {Array<{ label: string }>} failures
 */

/**
 * @param {{ results: Finding[]; warnings: Array<{ id: string; label: string }> }} conformance
 * @returns {import('./suite.js').Result[]}
 */
function read({ results, warnings }) {
  const others = new Set(results.map(({ surface }) => surface).filter((surface) => !SERVED.includes(surface)));
  /** @param {Finding} finding */
  const isMeant = ({ surface, reason }) => SERVED.includes(surface) && !/^not run at depth/.test(reason ?? '');
  return [
    ...results
      .filter(isMeant)
      .map(({ name, outcome, reason, failures }) => ({
        name,
        misses:
          outcome === 'pass' ? [] : failures.length > 0 ? failures.map(({ label }) => label) : [reason ?? outcome],
      }))
      .sort((one, other) => (one.name < other.name ? -1 : 1)),
    ...warnings.map(({ id, label }) => ({ name: `should: ${id}`, misses: [label] })),
    ...[...others].sort().map((surface) => ({ name: `${surface}: any of it`, misses: ['is not implemented'] })),
  ];
}
