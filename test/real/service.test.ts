import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ScriptedModel } from '../../scripted-model/server.ts';
import { SERVICE_UNIT as UNIT } from '../../src/running/log-source.ts';
import { CANNOT_START } from '../../src/service/exit-code.ts';
import { quoteArgument, systemdUnit } from '../../src/service/systemd-unit.ts';
import { freePort } from '../support/free-port.js';
import { ISTHMUS, runIsthmus, type Surroundings, surroundings, until } from '../support/gateway.ts';
import { processesWith } from '../support/process-table.ts';
import { MANAGED, NO_SYSTEMD, startUserSystemd, type UserSystemd } from '../support/user-systemd.ts';

/** `isthmus service` over a real systemd of a user. */

describe.skipIf(NO_SYSTEMD)(`the service ${MANAGED}`, () => {
  let model: ScriptedModel;
  let here: Surroundings;
  let systemd: UserSystemd;
  let units: string;

  beforeAll(async () => {
    model = await ScriptedModel.start({ script: [] });
    here = surroundings(model.url);
    units = join(here.home, '.config', 'systemd', 'user');
    mkdirSync(units, { recursive: true });
    systemd = await startUserSystemd({ PATH: here.env.PATH ?? '', HOME: here.home });
  });
  afterAll(async () => {
    await systemd.stop();
    here.remove();
    await model.close();
  });

  /** What systemd says of a unit; it exits with 0 whatever that is. */
  function complaints(text: string): string {
    const file = join(here.home, UNIT);
    writeFileSync(file, text);
    return spawnSync('systemd-analyze', ['--user', 'verify', file], { env: systemd.env, encoding: 'utf8' }).stderr;
  }

  const plan = { environmentFile: '/home/100% me/.config/isthmus/environment', drainSeconds: 30 };

  test('systemd has nothing to say against the unit', () => {
    const text = systemdUnit({ ...plan, command: [process.execPath, ISTHMUS, 'serve', '--workspace=/a b/%h/$HOME'] });
    expect(complaints(text)).toBe('');
    expect(complaints(text.replace('KillMode', 'KilMode'))).toContain("Unknown key 'KilMode' in section [Service]");
  });

  test('systemd reads back every argument as it was', async () => {
    const nasty = fc.constantFrom(
      '%h',
      '%',
      '$HOME',
      '{HOME}',
      '$',
      '"',
      "'",
      '\\',
      '\\x20',
      '\\n',
      '\n',
      '\t',
      ' ',
      ';',
      '#',
      '',
    );
    const text = fc.string({ unit: fc.oneof(nasty, fc.string({ unit: 'grapheme', maxLength: 2 })), maxLength: 8 });
    const words = fc.sample(text, { numRuns: 400, seed: 20_261_126 }).map((word) => word.replaceAll('\0', ''));
    const file = join(here.home, 'arguments.json');
    const script = 'require("node:fs").writeFileSync(process.argv[1], JSON.stringify(process.argv.slice(2)))';
    const line = [process.execPath, '-e', script, file, ...words].map(quoteArgument).join(' ');
    writeFileSync(join(units, 'quoting.service'), `[Service]\nType=oneshot\nExecStart=${line}\n`);
    systemd.control('daemon-reload');
    systemd.control('start', 'quoting.service');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(words);
  });

  test('it is installed once, starts again after a crash, and goes without a trace', async () => {
    const port = await freePort();
    const service = (...args: string[]) => runIsthmus(['service', ...args], systemd.env);
    const install = (...args: string[]) =>
      service('install', '--yes', '--port', String(port), '--spares', '0', ...args);
    const isUp = () =>
      fetch(`http://127.0.0.1:${port}/health`).then(
        async (response) => ((await response.json()) as { status: string }).status === 'ok',
        () => false,
      );
    const pid = () => Number(systemd.control('show', '--property', 'MainPID', '--value', UNIT));
    // What the user wrote is all that the service gets.
    const variables = Object.entries(here.env).filter(([name]) => name !== 'PATH' && name !== 'HOME');
    mkdirSync(join(here.home, '.config', 'isthmus'), { recursive: true });
    writeFileSync(
      join(here.home, '.config', 'isthmus', 'environment'),
      variables.map(([name, value]) => `${name}=${value}\n`).join(''),
    );

    expect(await service('install', '--port', String(port))).toMatchObject({
      code: 1,
      output: expect.stringContaining('add --yes'),
    });
    const installed = await install();
    expect(installed).toMatchObject({ code: 0, output: expect.stringContaining('loginctl enable-linger') });
    await until('it is up', isUp);
    expect((await service('status')).output).toContain('active (running)');
    const first = pid();
    expect((await install()).output).toContain('is so already');
    expect(pid()).toBe(first);

    process.kill(first, 'SIGKILL');
    await until('systemd has started another one', async () => ![0, first].includes(pid()) && (await isUp()));

    const file = join(units, UNIT);
    const written = readFileSync(file, 'utf8');
    writeFileSync(file, written.replace('RestartSec=2', 'RestartSec=3'));
    for (const attempt of [install('--strict'), service('uninstall', '--yes')])
      expect(await attempt).toMatchObject({ code: 1, output: expect.stringContaining('changed by somebody else') });
    writeFileSync(file, written);

    expect(await install('--claude', '/no/such')).toMatchObject({ code: 0 });
    const state = () => systemd.control('show', '--property', 'ActiveState,ExecMainStatus,NRestarts', UNIT).trim();
    await until('it has failed', () => state().includes('ActiveState=failed'));
    expect(state().split('\n').sort()).toEqual(['ActiveState=failed', `ExecMainStatus=${CANNOT_START}`, 'NRestarts=0']);

    expect(await install()).toMatchObject({ code: 0 });
    await until('it is up', isUp);
    expect(await service('uninstall', '--yes')).toMatchObject({ code: 0 });
    expect(await isUp()).toBe(false);
    expect(processesWith(`CLAUDE_CONFIG_DIR=${here.env.CLAUDE_CONFIG_DIR}`)).toEqual([]);
    expect((await service('uninstall', '--yes')).output).toBe('There is no service.\n');
  });
});
