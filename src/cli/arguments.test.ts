import { expect, test } from 'vitest';
import { SETTINGS } from '../config/setting-table.ts';
import { SettingsError } from '../config/settings-error.ts';
import { checkFlags, flagsOf, parseCommandLine } from './arguments.ts';
import { COMMAND_NAMES, COMMANDS, type CommandName } from './command-table.ts';

test.each<[string, Record<string, string>]>([
  ['--port 1 --spares=2', { port: '1', spares: '2' }],
  ['-p 1', { port: '1' }],
  ['--strict --port 1', { strict: 'true', port: '1' }],
  ['--spares -1', { spares: '-1' }],
  ['--claude=--odd', { claude: '--odd' }],
  ['--agents', { agents: '' }],
  ['--config x.json --invented', { config: 'x.json', invented: '' }],
])('the flags of serve %s are %j', (line, flags) => {
  expect(parseCommandLine(['serve', ...line.split(' ')])).toEqual({ command: 'serve', words: [], rest: [], flags });
});

test('words, switches, and what stands behind two dashes', () => {
  expect(parseCommandLine(['--once', 'demo', 'a', '-h', '--', '--once', '-p', '--', 'x'])).toEqual({
    command: 'demo',
    words: ['a'],
    rest: ['--once', '-p', '--', 'x'],
    flags: { once: 'true', help: 'true' },
  });
});

test('flags of two commands with one name are of one kind, and no letter stands for two', () => {
  for (const [name, command] of Object.entries(COMMANDS)) {
    const letters: Record<string, string> = {};
    for (const [flag, { value, short }] of Object.entries(flagsOf(name as CommandName))) {
      for (const other of COMMAND_NAMES) {
        const twin = flagsOf(other)[flag];
        if (twin) expect([flag, twin.value === undefined, twin.short]).toEqual([flag, value === undefined, short]);
      }
      if (short) expect([name, letters[short]]).toEqual([name, undefined]);
      if (short) letters[short] = flag;
    }
    expect(Object.keys(command.flags).filter((flag) => Object.hasOwn(SETTINGS, flag))).toEqual([]);
  }
});

test.each<[CommandName, string, string]>([
  ['demo', 'onse', 'There is no flag --onse of `isthmus demo`. Did you mean --once?'],
  ['serve', 'prot', 'There is no flag --prot of `isthmus serve`. Did you mean --port?'],
  ['serve', 'once', '--once belongs to `isthmus demo`.'],
  ['sessions', 'port', '`isthmus sessions` takes no --port.'],
  ['serve', 'constructor', 'There is no flag --constructor of `isthmus serve`.'],
])('%s refuses --%s', (name, flag, message) => {
  expect(() => checkFlags(name, { [flag]: '' })).toThrow(new SettingsError(message));
});

test('serve leaves a setting that is no flag to the reader of the settings', () => {
  expect(() => checkFlags('serve', { agents: '', port: '1', config: 'x', help: 'true' })).not.toThrow();
});

test.each([
  ['--port', '--port needs a value: --port 3456'],
  ['-p', '--port needs a value: --port 3456'],
  ['--max-processes --strict', '--max-processes needs a value: --max-processes 24'],
  ['--agent-level', '--agent-level needs a value: --agent-level LEVEL'],
  ['--claude', '--claude needs a value: --claude PATH'],
  ['--config', '--config needs a value: --config FILE'],
])('serve %s is refused with an example', (line, message) => {
  expect(() => parseCommandLine(['serve', ...line.split(' ')])).toThrow(message);
});
