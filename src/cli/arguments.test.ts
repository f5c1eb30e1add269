import { expect, test } from 'vitest';
import { parseCommandLine } from './arguments.ts';

test.each<[string, Record<string, string>]>([
  ['--port 1 --spares=2', { port: '1', spares: '2' }],
  ['-p 1', { port: '1' }],
  ['--strict --port 1', { strict: 'true', port: '1' }],
  ['--spares -1', { spares: '-1' }],
  ['--claude=--odd', { claude: '--odd' }],
  ['--agents', { agents: '' }],
  ['--config x.json --invented', { config: 'x.json', invented: '' }],
])('the flags of serve %s are %j', (line, flags) => {
  expect(parseCommandLine(['serve', ...line.split(' ')])).toEqual({ words: ['serve'], flags, switches: new Set() });
});

test('a switch is no setting', () => {
  expect(parseCommandLine(['demo', '--once', '-h'])).toEqual({
    words: ['demo'],
    flags: {},
    switches: new Set(['once', 'help']),
  });
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
