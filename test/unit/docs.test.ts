import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { benchmarkPages } from '../../bench/pages.js';
import { latestResults, readResults } from '../../bench/saved-results.js';
import { AGENT_PARAMETERS } from '../../src/agents/agent-parameters.ts';
import { settingsSchema } from '../../src/config/settings-schema.ts';
import { anthropicMessages } from '../../src/dialects/anthropic-messages/anthropic-messages.ts';
import { HEADERS } from '../../src/dialects/anthropic-messages/contract-table.ts';
import { openAiChat } from '../../src/dialects/openai-chat/openai-chat.ts';
import { ROOT } from '../support/gateway.ts';
import {
  cliPage,
  configPage,
  decisionsPage,
  errorsPage,
  headersPage,
  openAiPage,
  parametersPage,
} from '../support/reference-docs.ts';

/** `npm run docs` runs these tests to write the pages. */

test.each([
  ['parameters.md', parametersPage()],
  ['errors.md', errorsPage()],
  ['openai.md', openAiPage()],
  ['headers.md', headersPage()],
  ['cli.md', cliPage()],
  ['config.md', configPage()],
  ['decisions/README.md', decisionsPage()],
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

test('docs/headers.md has every header of its own that the program reads or sets, and what web pages need', () => {
  const own = sourcesIn('http', 'access', 'spec').matchAll(
    /'((?:isthmus|x-claude|x-session|x-opencode|x-request|access-control)-[a-z-]+|vary)'/g,
  );
  const listed = { ...HEADERS.request, ...HEADERS.answer };
  expect([...own].map(([, name = '']) => name).filter((name) => !Object.hasOwn(listed, name))).toEqual([]);
});

test('docs/http.md has every path', () => {
  const page = readFileSync(join(ROOT, 'docs', 'http.md'), 'utf8');
  const own = [...sourcesIn('http').matchAll(/^ *\[?'(\/[\w/:-]*)',/gm)].map(([, path = '']) => path);
  const paths = [...own, ...[anthropicMessages, openAiChat].flatMap(({ routes }) => routes.map(({ path }) => path))];
  expect(paths).toContain('/health');
  for (const path of paths) expect(page).toContain(`${path.replace('/:id', '')}`);
});

function sourcesIn(...folders: string[]): string {
  return folders
    .flatMap((folder) => readdirSync(join(ROOT, 'src', folder)).map((name) => join(ROOT, 'src', folder, name)))
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
}
