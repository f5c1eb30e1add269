import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cline } from './cline.ts';

const model = { id: 'claude-sonnet-5', title: 'Claude Sonnet 5' };

function launchIn(folder: string) {
  return cline.launch({
    ...{ url: 'http://127.0.0.1:4567', api: 'messages', models: [model], model, smallModel: model },
    ...{ args: [], environment: {}, folder },
  });
}

test('its hub ends with it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-cline-'));
  try {
    const { environment, afterwards } = launchIn(folder);
    const hub = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    await once(hub, 'spawn');
    const ended = once(hub, 'exit');
    writeFileSync(String(environment.CLINE_HUB_DISCOVERY_PATH), JSON.stringify({ pid: hub.pid }));
    await afterwards?.();
    expect(await ended).toEqual([null, 'SIGTERM']);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('two launches have two ports for their hubs', () => {
  const [one, other] = ['/tmp/isthmus-a', '/tmp/isthmus-b'].map(
    (folder) => launchIn(folder).environment.CLINE_HUB_PORT,
  );
  expect(one).not.toBe(other);
  for (const port of [one, other]) expect(Number(port)).toBeGreaterThanOrEqual(49_152);
});
