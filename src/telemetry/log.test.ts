import { expect, test } from 'vitest';
import { escapeUnseen } from './escape-unseen.ts';
import { createJsonLog } from './json-log.ts';
import { atLeast, createLog, LOG_LEVELS } from './log.ts';

function lineOf(fields: Record<string, string>): string {
  const lines: string[] = [];
  createLog((line) => lines.push(line))('turn', fields);
  return lines.join('').replace(/^\S+ /, '');
}

const codes = (...ranges: Array<[from: number, to: number]>) =>
  ranges.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, at) => from + at));

test.each([
  ['C0 and delete', codes([0x00, 0x1f], [0x7f, 0x7f])],
  ['C1', codes([0x80, 0x9f])],
  ['line and paragraph separators', codes([0x2028, 0x2029])],
  ['marks of direction', codes([0x061c, 0x061c], [0x200e, 0x200f], [0x202a, 0x202e], [0x2066, 0x2069])],
  [
    'what has no width',
    codes([0x00ad, 0x00ad], [0x180e, 0x180e], [0x200b, 0x200d], [0x2060, 0x2064], [0xfeff, 0xfeff]),
  ],
  ['tags and fillers', codes([0xe0001, 0xe0001], [0xe0020, 0xe007f], [0x3164, 0x3164], [0xffa0, 0xffa0])],
])('a line shows %s as an escape, and says the same', (_what, points) => {
  for (const point of points) {
    const value = `a${String.fromCodePoint(point)}b c`;
    const line = lineOf({ client: value });
    expect(line).toMatch(/^turn client="a\\\S+b c"\n$/);
    expect(JSON.parse(line.slice('turn client='.length))).toBe(value);
    expect(escapeUnseen(value)).toMatch(/^a(\\u[0-9a-f]{4}){1,2}b c$/);
  }
});

test('what can be seen stays as it is', () => {
  const seen = 'grüße שלום 日本 🙂 a\\u0041';
  expect(escapeUnseen(seen)).toBe(seen);
  expect(lineOf({ client: 'opencode/1.2' })).toBe('turn client=opencode/1.2\n');
});

test.each([
  ['error', ['error']],
  ['warn', ['error', 'warn']],
  ['info', ['error', 'warn', 'info', 'untold']],
  ['debug', ['error', 'warn', 'info', 'debug', 'untold']],
] as const)('the level %s has %j', (least, expected) => {
  const events: string[] = [];
  const log = atLeast(least, (event) => events.push(event));
  for (const level of LOG_LEVELS) log(level, {}, level);
  log('untold');
  expect(events).toEqual(expected);
});

test('as JSON each event is one object in one line, which a terminal shows as it is', () => {
  const lines: string[] = [];
  const log = createJsonLog((line) => lines.push(line));
  log('spare ended', { words: 'a\u202e"b"\nc', exit: undefined, long: 'x'.repeat(1_000), in_a_row: 3 }, 'warn');
  log('turn');
  expect(lines.join('')).toMatch(/^[^\n]+\n[^\n]+\n$/);
  expect(lines[0]).toContain('a\\u202e\\"b\\"\\nc');
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    {
      level: 'warn',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      event: 'spare ended',
      words: 'a\u202e"b"\nc',
      long: `${'x'.repeat(500)}…`,
      in_a_row: 3,
    },
    { level: 'info', time: expect.any(String), event: 'turn' },
  ]);
});

test('a field cannot pass as what the log says itself', () => {
  const lines: string[] = [];
  createJsonLog((line) => lines.push(line))('turn', { session: '","level":"fatal' });
  expect(JSON.parse(lines.join(''))).toMatchObject({ level: 'info', event: 'turn', session: '","level":"fatal' });
});
