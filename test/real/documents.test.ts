import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ScriptedModel } from '../../scripted-model/server.ts';
import { type DocumentBlock, documentBlocks } from '../support/document-blocks.ts';
import { ISTHMUS, ROOT, type Surroundings, startGateway, surroundings, type TestGateway } from '../support/gateway.ts';
import { QUICK } from '../support/quick.ts';

/** The blocks of the documents that say `run` behind their language, as a reader would run them. */

/** Where the documents say that Isthmus listens. */
const WRITTEN_URL = 'http://127.0.0.1:3456';

const run = promisify(execFile);
const blocks = documentBlocks();

let model: ScriptedModel;
let gateway: TestGateway;
let around: Surroundings;
/** Programs of the package by their names, and files that may import it by its own. */
const folder = join(ROOT, '.cache', `documents-${process.pid}`);

beforeAll(async () => {
  model = await ScriptedModel.start();
  gateway = await startGateway(model.url);
  around = surroundings(model.url);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'isthmus'), `#!/bin/sh\nexec "${process.execPath}" "${ISTHMUS}" "$@"\n`);
  chmodSync(join(folder, 'isthmus'), 0o755);
});
afterAll(async () => {
  await gateway?.stop();
  await model?.close();
  around?.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** What a block prints. */
async function outputOf({ language, text }: DocumentBlock): Promise<string> {
  const own = text.replaceAll(WRITTEN_URL, gateway.url);
  const env = { ...around.env, PATH: `${folder}:${around.env.PATH}` };
  const options = { cwd: around.home, env, timeout: 60_000 };
  if (language === 'sh') return (await run('sh', ['-e', '-c', own], options)).stdout;
  const file = join(folder, 'block.mjs');
  writeFileSync(file, own);
  return (await run(process.execPath, [file], options)).stdout;
}

test.each(blocks.filter(({ isRun }) => isRun))('$place runs', QUICK, async (block) => {
  const output = await outputOf(block);
  expect(output).not.toContain('"type":"error"');
});

test.each(blocks.filter(({ language, isRun }) => language === 'sh' && !isRun))(
  '$place is a script that a shell reads',
  async ({ text }) => {
    await run('sh', ['-n', '-c', text]);
  },
);
