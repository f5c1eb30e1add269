/**
 * A program that uses the store in a folder, as a gateway does. It says each thing that came of it as a line of JSON.
 *
 *     node store-program.js write FOLDER PREFIX    puts until it is killed, and names each turn that was put for good
 *     node store-program.js full FOLDER            puts until the disk is full, on it, and when there is room again
 */
import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '../../dist/src/store/open-store.js';

const [what, folder = '', prefix = 'turn'] = process.argv.slice(2);
/** @param {unknown} value */
const say = (value) => writeSync(1, `${JSON.stringify(value)}\n`);

const store = openStore(folder, {
  limits: { maxAgeMs: 3_600_000, maxBytes: 1e9 },
  memoryBytes: 1e9,
  onChange: (problem) => say({ problem: problem ?? 'over' }),
});

let made = 0;
async function put() {
  made += 1;
  const turn = `${prefix}-${made}`;
  const outlives = await store.put({
    turn,
    lineage: turn,
    session: 'a session',
    caller: 'a caller',
    agent: 'docs',
    at: Date.now(),
    steps: { steps: [], changedFiles: [] },
    expansion: randomBytes(1 + (made % 9_000)),
  });
  return { turn, outlives };
}

async function write() {
  for (;;) {
    const { turn, outlives } = await put();
    if (outlives) say({ turn });
  }
}

async function fillTheDisk() {
  const ballast = join(folder, 'ballast');
  writeFileSync(ballast, Buffer.alloc(300_000));
  const put_ = [];
  do put_.push(await put());
  while (put_.at(-1)?.outlives);
  for (let more = 0; more < 10; more += 1) put_.push(await put());
  const lineages = put_.map(({ turn }) => turn);
  const refused = put_.filter(({ outlives }) => !outlives).length;
  say({ refused, found: (await store.find(lineages)).size === put_.length });
  rmSync(ballast);
  say({ outlives: (await put()).outlives });
  await store.close();
  const next = openStore(folder, {
    limits: { maxAgeMs: 3_600_000, maxBytes: 1e9 },
    memoryBytes: 0,
    onChange: () => undefined,
  });
  say({ found: (await next.find(lineages)).size === put_.length });
  await next.close();
}

if (what === 'full') await fillTheDisk();
else await Promise.all([write(), write(), write()]);
