import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GROUPS, NAMES } from './navigation.js';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * @typedef {object} Page
 * @property {string} source Markdown file, from the root of the repository on
 * @property {string} url file of the site, from its root on
 * @property {string} group title of its group in the navigation
 * @property {string} heading its first heading
 * @property {string} name what the navigation calls it
 * @property {boolean} isDecision decisions stand in the navigation only below their list
 */

/** @returns {Page[]} every page of the site, in the order of the navigation */
export function sitePages() {
  const named = new Set(GROUPS.flatMap(({ pages }) => pages));
  const unnamed = markdownIn('docs').filter((source) => !named.has(source));
  return GROUPS.flatMap(({ title, pages }) =>
    [
      ...pages,
      ...(title === 'Guides' ? unnamed : []),
      ...(pages.includes('docs/decisions/README.md') ? decisionSources() : []),
    ].map((source) => pageOf(source, title)),
  );
}

/** @returns {string[]} the decisions, in their order */
export function decisionSources() {
  return markdownIn('docs/decisions').filter((source) => /\/\d{4}-/.test(source));
}

/** @param {string} source */
export function markdownOf(source) {
  return readFileSync(join(ROOT, source), 'utf8');
}

/** @param {string} source */
export function headingOf(source) {
  return /^# (.+)$/m.exec(markdownOf(source))?.[1] ?? source;
}

/** @returns {Page} */
function pageOf(source, group) {
  const heading = headingOf(source);
  const isDecision = decisionSources().includes(source);
  return { source, url: urlOf(source), group, heading, name: NAMES[source] ?? heading, isDecision };
}

/** The site has the folders of the repository; a folder's README is its index. */
function urlOf(source) {
  return source
    .replace(/README\.md$/, 'index.md')
    .replace(/\.md$/, '.html')
    .toLowerCase();
}

function markdownIn(folder) {
  return readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => posix.join(folder, name));
}
