import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ScriptedModel } from '../../../scripted-model/server.ts';
import { startGateway } from '../../support/gateway.ts';

const TURNS = 16;

test.runIf(process.platform === 'linux')(
  'a gateway that may open no more files refuses turns by that name, and takes them later',
  async () => {
    const model = await ScriptedModel.start();
    const gateway = await startGateway(model.url, ['--spares', '0']);
    // Enough for every connection, too few for a process a turn. Claude Code raises its own limit again.
    const limit = readdirSync(`/proc/${gateway.child.pid}/fd`).length + TURNS + 20;
    execFileSync('prlimit', ['--pid', String(gateway.child.pid), `--nofile=${limit}:`]);
    const send = (content: string) =>
      fetch(`${gateway.url}/v1/messages`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', connection: 'close' },
        body: JSON.stringify({ model: 'claude-sonnet-5', max_tokens: 10, messages: [{ role: 'user', content }] }),
      });
    try {
      model.use([{ replies: [{ content: [{ type: 'text', text: 'so' }], delay_ms: 10_000 }] }]);
      const answers = await Promise.all(Array.from({ length: TURNS }, (_, at) => send(`turn ${at}`)));
      const refused = answers.filter(({ status }) => status !== 200);
      expect(refused.length).toBeGreaterThan(0);
      expect(refused.length).toBeLessThan(TURNS);
      for (const { status, headers } of refused) {
        expect([status, headers.get('isthmus-error')]).toEqual([529, 'machine_at_limit']);
        expect([headers.get('retry-after'), headers.get('x-should-retry')]).toEqual(['5', 'true']);
      }
      const { error } = (await refused[0]?.json()) as { error: { type: string; message: string } };
      expect(error.type).toBe('overloaded_error');
      expect(error.message).toContain('`ulimit -n`');
      expect(model.requests).toHaveLength(TURNS - refused.length);

      model.use([]);
      expect((await send('once more')).status).toBe(200);
    } finally {
      await gateway.stop();
      await model.close();
    }
  },
);
