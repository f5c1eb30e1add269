import { expect, test } from 'vitest';
import { maskedDiff } from './masked-diff.ts';

test.each([
  ['"apiKey": "sk-live-1", // old', '"apiKey": "••••", // old'],
  ["'api_token': 'a b'", "'api_token': '••••'"],
  ['  apiKey: abc def # old', '  apiKey: ••••'],
  ['{"ANTHROPIC_AUTH_TOKEN":"x","theme":"dark"}', '{"ANTHROPIC_AUTH_TOKEN":"••••","theme":"dark"}'],
  ['"Authorization": "Bearer abcdefghi"', '"Authorization": "••••"'],
  ['"ANTHROPIC_CUSTOM_HEADERS": "x-api-key: 1"', '"ANTHROPIC_CUSTOM_HEADERS": "••••"'],
  ['"password": "with \\" quote"', '"password": "••••"'],
  ['// "apiKey": "commented-out"', '// "apiKey": "••••"'],
  ['"note": "use sk-ant-api03-abcdefgh here"', '"note": "use •••• here"'],
  ['"proxy": "http://me:secret@host:1/x"', '"proxy": "http://••••@host:1/x"'],
  [
    '"baseURL": "http://127.0.0.1:3456/v1", "apiKey": "isthmus"',
    '"baseURL": "http://127.0.0.1:3456/v1", "apiKey": "isthmus"',
  ],
  ['"maxTokens": 4000, "hasKey": true', '"maxTokens": 4000, "hasKey": true'],
  ['"keybinds": {', '"keybinds": {'],
])('of %s no secret is shown', (line, shown) => {
  expect(maskedDiff('f', '', `${line}\n`, ['isthmus'])).toEqual(['f', '@@ -1 +1 @@', `+${shown}`]);
});

test('two lines around a change are shown', () => {
  expect(maskedDiff('f', 'a\nb\nc\nd\n', 'a\nb\nc\nd\ne\n', [])).toEqual(['f', '@@ -3 +3 @@', ' c', ' d', '+e']);
});
