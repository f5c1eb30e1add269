import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { checkProperty, depthOf } from '../../test/support/depth.ts';
import type { Format } from './change.ts';
import { jsoncFormat } from './jsonc-format.ts';
import { maskedDiff } from './masked-diff.ts';
import { yamlFormat } from './yaml-format.ts';

const OURS = { ours: ['isthmus', 'http://127.0.0.1:3456/v1', { list: [64_000] }], replaced: [] };

/** How a text that is all new is shown. */
function shownOf(format: Format, text: string, shown: Parameters<typeof maskedDiff>[4] = OURS): string {
  const lines = maskedDiff('f', format, '', `${text}\n`, shown);
  expect(lines.slice(0, 2)).toEqual(['f', '@@ -1 +1 @@']);
  return lines
    .slice(2)
    .map((line) => line.replace(/^\+/, ''))
    .join('\n');
}

test.each([
  ['{"FOO_PASS":"hunter2","theme":"dark"}', '{"FOO_PASS":"••••","theme":"••••"}'],
  ['{ "args": ["--api-key", "supersecret"], "pin": 1234 }', '{ "args": ["••••", "••••"], "pin": •••• }'],
  ['{"a": "with \\" quote", "b": true, "c": null, "d": ""}', '{"a": "••••", "b": true, "c": null, "d": ""}'],
  ['{} // "apiKey": "commented-out"', '{} // ••••'],
  ['{ /* PASS=x */ "a" /* y */ : /*z*/ {}, }', '{ /* •••• */ "a" /* •••• */ : /*••••*/ {}, }'],
  ['{\n/* one\n   two */ }', '{\n••••\n   •••• }'],
  ['{"a": "https://me:secret@host:1/x"}', '{"a": "••••"}'],
  ['{"https://me:secret@host": {}, "sk-ant-abcdefgh": {}}', '{"https://••••@host": {}, "••••": {}}'],
  [
    '{"baseURL": "http://127.0.0.1:3456/v1", "apiKey": "isthmus", "tokens": 64000}',
    '{"baseURL": "http://127.0.0.1:3456/v1", "apiKey": "isthmus", "tokens": 64000}',
  ],
])('of the JSON %s no value but ours is shown', (text, shown) => {
  expect(shownOf(jsoncFormat, text)).toBe(shown);
});

test.each([
  ['headers:\n  X-Foo: verysecret # old', 'headers:\n  X-Foo: •••• # ••••'],
  ['\'PASS\' : \'hunter2\'\n"x": "y"', '\'PASS\' : \'••••\'\n"x": "••••"'],
  ['- [--api-key, secret]\n- { a: b, 1: 2 }', '- [••••, ••••]\n- { a: ••••, 1: •••• }'],
  ['a: |\n  two\n   lines\nb: x\n  y', 'a: |\n  ••••\n   ••••\nb: ••••\n  ••••'],
  ['a: &anchor *alias\nb: !tag 5', 'a: •••• ••••\nb: •••• ••••'],
  ['a: true\nb:\nc: ~\nd: isthmus\ne: 64000', 'a: true\nb:\nc: ~\nd: isthmus\ne: 64000'],
])('of the YAML %s no value but ours is shown', (text, shown) => {
  expect(shownOf(yamlFormat, text)).toBe(shown);
});

test.each([
  ['"https://gateway.test"', '"https://gateway.test"'],
  ['"https://me:secret@gateway.test:8443/v1?key=secret"', '"https://••••@gateway.test:8443/••••"'],
  ['"http://gateway.test?key=secret"', '"http://gateway.test/••••"'],
  ['"sk-ant-1"', '"••••"'],
  ['"https://me:se/cret@gateway.test"', '"••••"'],
])('of %s, in whose place ours comes, the host is shown', (text, shown) => {
  expect(shownOf(jsoncFormat, `{"a": ${text}}`, { ours: [], replaced: [text] })).toBe(`{"a": ${shown}}`);
});

test('two lines around a change are shown', () => {
  const text = (last: string) => `a: 1\nb: 2\nc: 3\nd: 4\n${last}`;
  expect(maskedDiff('f', yamlFormat, text(''), text('e: isthmus\n'), OURS)).toEqual([
    ...['f', '@@ -3 +3 @@', ' c: ••••', ' d: ••••', '+e: isthmus'],
  ]);
});

const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    tie('leaf'),
    fc.array(tie('any')),
    fc.dictionary(fc.constantFrom('a', 'b c'), tie('any')),
  ),
  leaf: fc.oneof(
    fc.string().map((text) => `SECRET${text}SECRET`),
    fc
      .string({ unit: fc.constantFrom('\n', ' ', '#', ':', '"', "'", '-', '*', 'x') })
      .map((text) => `SECRET${text}SECRET`),
    fc.string({ unit: fc.constantFrom('\n', ' ', '#', ':', '"', "'", '-', '*', '\\') }).map((text) => `${text}SECRET`),
  ),
})).any;

test('no value of any text is shown, however it is written', { tags: ['soak'] }, async () => {
  await checkProperty(
    depthOf('settingsFiles'),
    fc.property(
      value,
      fc.constantFrom('PLAIN', 'QUOTE_SINGLE', 'QUOTE_DOUBLE', 'BLOCK_LITERAL', 'BLOCK_FOLDED'),
      (inner, style) => {
        const whole = { top: inner };
        for (const text of [JSON.stringify(whole), JSON.stringify(whole, null, 2)]) {
          expect(shownOf(jsoncFormat, text)).not.toContain('SECRET');
          expect(
            jsoncFormat
              .parts(text)
              .map((part) => part.text)
              .join(''),
          ).toBe(text);
        }
        const yaml = stringify(whole, { defaultStringType: style, defaultKeyType: 'PLAIN' });
        expect(shownOf(yamlFormat, yaml)).not.toContain('SECRET');
        expect(
          yamlFormat
            .parts(yaml)
            .map((part) => part.text)
            .join(''),
        ).toBe(yaml);
      },
    ),
  );
});
