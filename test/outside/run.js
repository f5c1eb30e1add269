// @ts-check
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Cleanup } from '../../bench/cleanup.js';
import { startGateway } from '../../bench/gateway-process.js';
import { startScriptedModel } from '../../dist/scripted-model/testing.js';
import { differential } from './differential.js';
import { llmprobe } from './llmprobe.js';
import { messagesValidator } from './messages-validator.js';
import { modelThatFollows } from './model.js';
import { openAiResources } from './openai-resources.js';
import { openResponses } from './openresponses.js';
import { sdkResources } from './sdk-resources.js';
import { page, readTable, section, TABLE, unexplained } from './table.js';

// Runs outside suites, all or those that are named, and compares what they say with the kept table; `--write` writes it anew.

const SUITES = [sdkResources, openAiResources, messagesValidator, openResponses, differential, llmprobe];
const CACHE = fileURLToPath(new URL('../../.cache/outside', import.meta.url));

const names = process.argv.slice(2).filter((word) => word !== '--write');
const isWriting = process.argv.includes('--write');
const unknown = names.filter((name) => !SUITES.some((suite) => suite.name === name));
if (unknown.length > 0) {
  console.error(
    `outside: no suite is named ${unknown.join(', ')}; there are ${SUITES.map(({ name }) => name).join(', ')}.`,
  );
  process.exit(2);
}
const chosen = SUITES.filter(({ name }) => names.length === 0 || names.includes(name));

const cleanup = new Cleanup();
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.once(signal, () => cleanup.run().finally(() => process.exit(1)));
}
let isRed = false;
/** @param {string} words */
const red = (words) => {
  isRed = true;
  console.log(words);
};
try {
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-outside-'));
  cleanup.add(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
  // The user of Postgres has to come by.
  chmodSync(folder, 0o711);
  const kept = readTable();
  const table = new Map(SUITES.map(({ name }) => [name, kept.get(name) ?? '']));
  for (const suite of chosen) {
    const since = performance.now();
    const outcome = await onStage(suite, folder);
    if (!Array.isArray(outcome)) {
      console.log(`${suite.name}: not run: ${outcome.notRun}`);
      continue;
    }
    const written = section(suite, outcome, kept.get(suite.name) ?? '');
    const passed = outcome.filter(({ misses }) => misses.length === 0).length;
    const seconds = ((performance.now() - since) / 1000).toFixed(0);
    console.log(`${suite.name}: ${passed} of ${outcome.length} pass, in ${seconds} s`);
    for (const miss of unexplained(written)) red(`  has no reason in the table: ${miss}`);
    if (!isWriting && written.trim() !== (kept.get(suite.name) ?? '').trim()) {
      red(`  is not what test/outside/TABLE.md says:\n${difference(kept.get(suite.name) ?? '', written)}`);
    }
    table.set(suite.name, written);
    // At once, so that what has been found stays when a later suite fails.
    if (isWriting) writeFileSync(TABLE, page([...table.values()].filter((each) => each !== '')));
  }
} finally {
  await cleanup.run();
}
if (isRed) process.exitCode = 1;

/**
 * Runs a suite against a gateway and a model of its own.
 *
 * @param {import('./suite.js').Suite} suite
 * @param {string} folder
 */
async function onStage(suite, folder) {
  const own = new Cleanup();
  const end = cleanup.add(() => own.run());
  try {
    const model = await startScriptedModel({ script: [modelThatFollows()] });
    own.add(() => model.close());
    const { url } = await startGateway(model.url, own, { mode: 'bare' });
    return await suite.run({ url, model, cache: CACHE, folder: join(folder, suite.name), cleanup: own });
  } finally {
    await end();
  }
}

/**
 * The lines of one text that the other has not, in both directions.
 *
 * @param {string} before
 * @param {string} after
 */
function difference(before, after) {
  const [had, has] = [before, after].map((text) => text.trim().split('\n'));
  return [
    ...(had ?? []).filter((line) => !has?.includes(line)).map((line) => `  - ${line}`),
    ...(has ?? []).filter((line) => !had?.includes(line)).map((line) => `  + ${line}`),
  ].join('\n');
}
