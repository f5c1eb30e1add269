import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { benchmarkPages } from '../../bench/pages.js';
import { latestResults, readResults } from '../../bench/saved-results.js';
import { AGENT_PARAMETERS } from '../../src/agents/agent-parameters.ts';
import { settingsSchema } from '../../src/config/settings-schema.ts';
import { ROOT } from '../support/gateway.ts';
import { errorsPage, openAiPage, parametersPage } from '../support/reference-docs.ts';

/** `npm run docs` runs these tests to write the pages. */

test.each([
  ['parameters.md', parametersPage()],
  ['errors.md', errorsPage()],
  ['openai.md', openAiPage()],
])('docs/%s is made from what the program acts on', async (name, text) => {
  await expect(text).toMatchFileSnapshot(join(ROOT, 'docs', name));
});

test('config.schema.json is made from the settings, and so is what an editor says of a configuration', async () => {
  const schema = `${JSON.stringify(settingsSchema(), null, 2)}\n`;
  await expect(schema).toMatchFileSnapshot(join(ROOT, 'config.schema.json'));
});

const latest = latestResults();
test.each(latest ? await benchmarkPages(readResults(latest)) : [])(
  'docs/%s is made from the latest benchmark',
  async (name, text) => {
    await expect(text).toMatchFileSnapshot(join(ROOT, 'docs', name));
  },
);

test('docs/agents.md says what becomes of each parameter that an agent’s calls do not get', () => {
  const page = readFileSync(join(ROOT, 'docs', 'agents.md'), 'utf8');
  for (const [name, { is }] of Object.entries(AGENT_PARAMETERS)) expect(page).toContain(`| \`${name}\` | ${is}`);
});
