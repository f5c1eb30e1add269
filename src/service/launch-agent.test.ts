import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { parse } from 'plist';
import { expect, test } from 'vitest';
import { LABEL, launchAgent } from './launch-agent.ts';
import { marked } from './owned-file.ts';

const PLAN = {
  command: ['/usr/bin/node', '/isthmus.js', 'serve'] as const,
  environmentFile: '/me/environment',
  drainSeconds: 30,
};

test('a reader of property lists finds the program, its end and its logs', () => {
  expect(parse(marked(launchAgent(PLAN, '/me/isthmus.log')))).toEqual({
    Label: LABEL,
    ProgramArguments: ['/bin/sh', '-c', expect.any(String), '/me/environment', ...PLAN.command],
    RunAtLoad: true,
    KeepAlive: { SuccessfulExit: false },
    ThrottleInterval: 30,
    ExitTimeOut: 45,
    StandardOutPath: '/me/isthmus.log',
    StandardErrorPath: '/me/isthmus.log',
  });
});

test('every argument is read back as it was', () => {
  const nasty = fc.constantFrom('&', '<', '>', '"', "'", '&amp;', ']]>', '<!--', '$HOME', ' ', 'é', '😀');
  const word = fc.string({ unit: fc.oneof(nasty, fc.string({ unit: 'grapheme-ascii', maxLength: 1 })), minLength: 1 });
  fc.assert(
    fc.property(fc.array(word, { minLength: 1 }), (args) => {
      const text = launchAgent({ ...PLAN, command: ['/usr/bin/node', ...args] }, '/me/isthmus.log');
      const { ProgramArguments } = parse(text) as { ProgramArguments: string[] };
      expect(ProgramArguments.slice(5)).toEqual(args);
    }),
  );
});

test('the shell gives the variables of the file, and the arguments untouched; a missing file is no error', () => {
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-agent-'));
  const script = 'console.log(JSON.stringify([process.env.A, process.argv.slice(1)]))';
  const run = (environmentFile: string) => {
    const command = [process.execPath, '-e', script, 'a b', '$HOME', '*'] as const;
    const text = launchAgent({ ...PLAN, command, environmentFile }, '/me/isthmus.log');
    const [program = '', ...args] = (parse(text) as { ProgramArguments: string[] }).ProgramArguments;
    return JSON.parse(execFileSync(program, args, { encoding: 'utf8', env: {} }));
  };
  writeFileSync(join(folder, 'environment'), "A='b c'\n");
  expect(run(join(folder, 'environment'))).toEqual(['b c', ['a b', '$HOME', '*']]);
  expect(run(join(folder, 'none'))).toEqual([null, ['a b', '$HOME', '*']]);
  rmSync(folder, { recursive: true });
});
