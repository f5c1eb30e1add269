import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { ask } from './ask.ts';

test.each([
  ['a line', 'yes\n', 'yes'],
  ['no word', '\n', ''],
  ['Ctrl-C', 'y\x03', undefined],
  ['Ctrl-D', '\x04', undefined],
])('%s is an answer, or none', async (_what, typed, answer) => {
  const input = new PassThrough();
  const output = new PassThrough({ encoding: 'utf8' });
  const asked = ask('Write? ', { input, output, terminal: true });
  input.write(typed);
  expect(await asked).toBe(answer);
  // What comes next begins a line.
  expect(String(output.read())).toMatch(/Write\? [\s\S]*\r?\n$/);
});

test('an input that ends gives none', async () => {
  const input = new PassThrough();
  const asked = ask('Write? ', { input, output: new PassThrough() });
  input.end();
  expect(await asked).toBeUndefined();
});
