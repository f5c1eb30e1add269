import { join } from 'node:path';
import { expect, test } from 'vitest';
import { benchmarkPages } from '../../bench/pages.js';
import { latestResults, readResults } from '../../bench/saved-results.js';
import { ROOT } from '../support/gateway.ts';
import { errorsPage, parametersPage } from '../support/reference-docs.ts';

/** `npm run docs` runs these tests to write the pages. */

test.each([
  ['parameters.md', parametersPage()],
  ['errors.md', errorsPage()],
])('docs/%s is made from what the program acts on', async (name, text) => {
  await expect(text).toMatchFileSnapshot(join(ROOT, 'docs', name));
});

const latest = latestResults();
test.each(latest ? await benchmarkPages(readResults(latest)) : [])(
  'docs/%s is made from the latest benchmark',
  async (name, text) => {
    await expect(text).toMatchFileSnapshot(join(ROOT, 'docs', name));
  },
);
