// @ts-check
import { existsSync, readFileSync } from 'node:fs';

/** @typedef {import('./suite.js').Suite} Suite */
/** @typedef {import('./suite.js').Result} Result */

export const TABLE = new URL('TABLE.md', import.meta.url);
/** What stands in the table where a reason is missing. */
const NO_REASON = '?';

const HEAD = `# What outside suites say of Isthmus

\`npm run test:outside\` runs suites that nobody here wrote against a gateway with an API key over a scripted model, and fails
where they say anything else than this page. \`npm run test:outside -- --write\` writes the page anew and keeps the reason of
each miss that is still there; a new miss needs one, written here by hand.
`;

/**
 * The page, one section for each suite.
 *
 * @returns {Map<string, string>} by the suite's name
 */
export function readTable() {
  const page = existsSync(TABLE) ? readFileSync(TABLE, 'utf8') : '';
  const sections = page.split(/^(?=## )/m).slice(1);
  return new Map(sections.map((section) => [/^## (\S+):/.exec(section)?.[1] ?? '', section]));
}

/**
 * @param {Iterable<string>} sections
 * @returns {string}
 */
export function page(sections) {
  return `${[HEAD, ...sections].map((part) => part.trim()).join('\n\n')}\n`;
}

/**
 * The section of a suite as it has to be, with the reasons that the kept one gives.
 *
 * @param {Suite} suite
 * @param {Result[]} results
 * @param {string} kept its section so far
 * @returns {string}
 */
export function section({ name, title, about }, results, kept) {
  const reasons = new Map(rowsBelow('| miss | why |', kept));
  const misses = [...new Set(results.flatMap((result) => result.misses))].sort();
  const passed = results.filter((result) => result.misses.length === 0);
  const why = misses.map((miss) => [cell(miss), reasons.get(cell(miss)) ?? NO_REASON]);
  return [
    `## ${name}: ${title}\n\n${about}\n\n**${passed.length} of ${results.length} pass.**\n`,
    table(
      ['case', 'outcome'],
      results.map((each) => [cell(each.name), cell(each.misses.join('; ') || 'passes')]),
    ),
    ...(why.length > 0 ? [table(['miss', 'why'], why)] : []),
  ].join('\n');
}

/**
 * The misses of a section that have no reason.
 *
 * @param {string} written
 * @returns {string[]}
 */
export function unexplained(written) {
  return rowsBelow('| miss | why |', written).flatMap(([miss, why]) => (why === NO_REASON || !why ? [miss] : []));
}

/**
 * @param {string[]} head
 * @param {string[][]} rows
 */
function table(head, rows) {
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return `${lines.join('\n')}\n`;
}

/** @param {string} text */
function cell(text) {
  return text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|').trim();
}

/**
 * The rows of two cells in the table with this head.
 *
 * @param {string} head
 * @param {string} text
 * @returns {Array<[string, string]>}
 */
function rowsBelow(head, text) {
  const lines = text.split('\n');
  const at = lines.indexOf(head);
  if (at < 0) return [];
  const rows = lines.slice(at + 2);
  const end = rows.findIndex((line) => !line.startsWith('|'));
  return rows.slice(0, end < 0 ? undefined : end).map((line) => {
    const [miss = '', why = ''] = line.slice(1, -1).split(/(?<!\\)\|/);
    return [miss.trim(), why.trim()];
  });
}
