import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './support/gateway.ts';
import { errorsPage, parametersPage } from './support/reference-docs.ts';

/** `npm run docs` runs these tests to write the pages. */

test.each([
  ['parameters.md', parametersPage()],
  ['errors.md', errorsPage()],
])('docs/%s is made from what the program acts on', async (name, text) => {
  await expect(text).toMatchFileSnapshot(join(ROOT, 'docs', name));
});
