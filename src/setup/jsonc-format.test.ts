import fc from 'fast-check';
import {
  applyEdits,
  createScanner,
  findNodeAtLocation,
  modify,
  type Node,
  parse as parseJsonc,
  parseTree,
} from 'jsonc-parser';
import { describe, expect, test } from 'vitest';
import { checkProperty, depthOf } from '../../test/support/depth.ts';
import { generatedJsonc } from '../../test/support/generated-jsonc.ts';
import { type Change, type Json, UneditableText } from './change.ts';
import { jsoncFormat } from './jsonc-format.ts';

const BASE_URL = {
  kind: 'value',
  path: ['provider', 'anthropic', 'options', 'baseURL'],
  value: 'http://127.0.0.1:3456/v1',
} as const;
const KEY = { kind: 'value', path: ['provider', 'anthropic', 'options', 'apiKey'], value: 'any' } as const;
const MODEL = {
  kind: 'item',
  path: ['customModels'],
  by: 'displayName',
  item: { displayName: 'Isthmus', baseUrl: 'http://127.0.0.1:3456' },
} as const;
const AT_TOP = { kind: 'value', path: ['a'], value: 1 } as const;

const edit = (text: string, ...changes: Change[]) => jsoncFormat.edit(text, changes).text;

describe('what is written', () => {
  test.each<[what: string, before: string, after: string]>([
    [
      'a comment behind the last property stays behind it',
      '{\n  "b": 2 // note\n}',
      '{\n  "b": 2, // note\n  "a": 1\n}',
    ],
    ['a block comment too', '{\n  "b": 2 /* x */ // y\n}\n', '{\n  "b": 2, /* x */ // y\n  "a": 1\n}\n'],
    ['a block comment over two lines too', '{\n  "b": 2 /* x\n y */\n}\n', '{\n  "b": 2, /* x\n y */\n  "a": 1\n}\n'],
    [
      'comments on lines of their own stay below',
      '{\n  "b": 2\n  // "c": 3\n}',
      '{\n  "b": 2,\n  "a": 1\n  // "c": 3\n}',
    ],
    ['a trailing comma stays one', '{\n  "b": 2,\n}', '{\n  "b": 2,\n  "a": 1,\n}'],
    ['a trailing comma behind a comment', '{\n  "b": 2 // x\n  ,\n}', '{\n  "b": 2 // x\n  ,\n  "a": 1,\n}'],
    ['tabs', '{\n\t"b": 2\n}', '{\n\t"b": 2,\n\t"a": 1\n}'],
    ['CRLF', '{\r\n    "b": 2\r\n}\r\n', '{\r\n    "b": 2,\r\n    "a": 1\r\n}\r\n'],
    ['one tight line', '{"b":2}', '{"b":2,"a":1}'],
    ['one airy line', '{ "b": 2 }\n', '{ "b": 2, "a": 1 }\n'],
    ['one line with a comment', '{ "b": 2 /* c */ }', '{ "b": 2, /* c */ "a": 1 }'],
    ['an empty object', '{}', '{\n  "a": 1\n}'],
    ['an empty object with a comment', '{\n  // nothing yet\n}\n', '{\n  // nothing yet\n  "a": 1\n}\n'],
    ['an empty file', '', '{\n  "a": 1\n}\n'],
    ['a file of white space', ' \n', '{\n  "a": 1\n}\n'],
    ['a value that is there', '{\n  "a": [1, /* x */ 2], // y\n}', '{\n  "a": 1, // y\n}'],
  ])('%s', (_what, before, after) => {
    expect(edit(before, AT_TOP)).toBe(after);
  });

  test('nested objects are indented as the text is', () => {
    expect(edit('{\n\t"provider": {\n\t\t"openai": {}\n\t}\n}', BASE_URL, KEY)).toBe(
      '{\n\t"provider": {\n\t\t"openai": {},\n\t\t"anthropic": {\n\t\t\t"options": {\n\t\t\t\t"baseURL": "http://127.0.0.1:3456/v1",\n\t\t\t\t"apiKey": "any"\n\t\t\t}\n\t\t}\n\t}\n}',
    );
    expect(edit('{"provider":{}}', KEY)).toBe('{"provider":{"anthropic":{"options":{"apiKey":"any"}}}}');
  });

  test('an item goes behind the others of its list, and replaces the one with its name', () => {
    const one = edit('{\n  "customModels": [\n    { "displayName": "mine" }, // mine\n  ]\n}', MODEL);
    expect(one).toBe(
      '{\n  "customModels": [\n    { "displayName": "mine" }, // mine\n    {\n      "displayName": "Isthmus",\n      "baseUrl": "http://127.0.0.1:3456"\n    },\n  ]\n}',
    );
    const other = { ...MODEL, item: { ...MODEL.item, baseUrl: 'http://127.0.0.1:1' } };
    expect(parseJsonc(edit(one, other))).toEqual({ customModels: [{ displayName: 'mine' }, other.item] });
    expect(jsoncFormat.edit(one, [MODEL])).toEqual({ text: one, done: [] });
  });
});

describe('what is refused, with its line', () => {
  test.each<[what: string, text: string, line: number, message: RegExp]>([
    ['a missing bracket', '{\n  "b": 2\n', 3, /valid JSON/],
    ['a missing comma', '{\n  "b": 2\n  "c": 3\n}', 3, /valid JSON/],
    ['a missing value', '{\n  "b":\n}', 3, /valid JSON/],
    ['something behind the object', '{\n}\n}', 3, /valid JSON/],
    ['an open comment', '{\n}\n/* x', 3, /valid JSON/],
    ['an open string', '{\n  "b": "x\n}', 2, /valid JSON/],
    ['a byte order mark that nobody has taken off', '\uFEFF{}', 1, /valid JSON/],
    ['no object', '[]', 1, /no JSON object|not a JSON object/],
    ['objects in objects without end', `{\n"b": ${'{"c":'.repeat(20_000)}`, 2, /nested deeper than 500/],
    ['lists in lists without end', `{"b":\n${'['.repeat(501)}${']'.repeat(501)}}`, 2, /nested deeper than 500/],
    ['only a comment', '// later\n', 2, /valid JSON/],
    ['equal keys', '{\n  "b": {\n    "c": 1,\n    "c": 2\n  }\n}', 4, /"c" twice/],
    ['equal keys in a list', '{\r\n  "b": [\r\n    {"c": 1, "\\u0063": 2}]\r\n}', 3, /"c" twice/],
    ['something else in place of an object', '{\n  "provider": null\n}', 2, /no object at provider/],
    ['something else in place of a list', '{\n\n  "customModels": {}\n}', 3, /no list at customModels/],
  ])('%s', (_what, text, line, message) => {
    let refused: unknown;
    try {
      edit(text, KEY, MODEL);
    } catch (error) {
      refused = error;
    }
    expect(refused).toBeInstanceOf(UneditableText);
    expect(refused).toMatchObject({ line, message: expect.stringMatching(message) });
  });
});

test('a text may be nested deeper than any settings are', () => {
  const text = `{"b":${'['.repeat(499)}${']'.repeat(499)}}`;
  expect(edit(text, AT_TOP)).toBe(`${text.slice(0, -1)},"a":1}`);
  // Brackets in a string are none.
  expect(edit(`{"b":"${'['.repeat(600)}"}`, AT_TOP)).toContain('"a":1');
});

/** All comments of a text, in their order. */
function commentsOf(text: string): string[] {
  const scanner = createScanner(text, false);
  const found: string[] = [];
  for (scanner.scan(); scanner.getTokenLength() > 0; scanner.scan()) {
    const token = text.slice(scanner.getTokenOffset(), scanner.getTokenOffset() + scanner.getTokenLength());
    if (/^\/[/*]/.test(token)) found.push(token);
  }
  return found;
}

/** As the changes would be made to a value. */
function changed(value: { [key: string]: Json }, changes: readonly Change[]): Json {
  const copy = structuredClone(value);
  for (const change of changes) {
    const path = [...change.path];
    const last = path.pop() ?? '';
    let at = copy;
    for (const name of path) {
      if (!Object.hasOwn(at, name)) at[name] = {};
      at = at[name] as typeof at;
    }
    if (change.kind === 'value') at[last] = change.value;
    else {
      const list = (Object.hasOwn(at, last) ? at[last] : []) as Array<{ [key: string]: Json }>;
      const index = list.findIndex((item) => item?.[change.by] === change.item[change.by]);
      at[last] = index < 0 ? [...list, change.item] : list.with(index, change.item);
    }
  }
  return copy;
}

const CHANGES: Change[] = [BASE_URL, KEY, MODEL, AT_TOP];
const KEYS = ['provider', 'anthropic', 'options', 'customModels', 'a', 'baseURL', 'apiKey'];
const leaf = fc.constantFrom<Json>('any', 'mine', 'http://127.0.0.1:3456/v1', 7, { x: [1] });
const generated = generatedJsonc(KEYS, {
  baseURL: leaf,
  apiKey: leaf,
  a: leaf,
  customModels: fc.array(
    fc.constantFrom<Json>({ ...MODEL.item }, { displayName: 'mine' }, 3, { displayName: 'Isthmus' }),
    {
      maxLength: 2,
    },
  ),
});

test('whatever the file: our values, all others, all comments; twice is once; and it can be taken back', {
  tags: ['soak'],
}, async () => {
  const depth = depthOf('settingsFiles');
  await checkProperty(
    depth,
    fc.property(generated, fc.shuffledSubarray(CHANGES, { minLength: 1 }), ({ text, value }, changes) => {
      expect(parseJsonc(text)).toEqual(value);
      const { text: edited, done } = jsoncFormat.edit(text, changes);
      expect(parseJsonc(edited)).toEqual(changed(value, changes));
      // Those inside of a value that is replaced go with it, until it is given back.
      const inside = done.flatMap(({ before = '' }) => commentsOf(before));
      expect([...commentsOf(edited), ...inside].sort()).toEqual(commentsOf(text).sort());
      expect(jsoncFormat.edit(edited, changes)).toEqual({ text: edited, done: [] });
      const { text: reverted, left } = jsoncFormat.revert(edited, done);
      expect(left).toEqual([]);
      expect(parseJsonc(reverted)).toEqual(value);
      expect(commentsOf(reverted)).toEqual(commentsOf(text));
    }),
  );
});

/** What a person or the client itself does to the file afterwards; undefined takes something out. */
const foreignEdits = fc.uniqueArray(
  fc.record({
    path: fc.constantFrom(['theme'], ['later'], ['provider', 'x'], ['provider', 'anthropic', 'options', 'timeout']),
    value: fc.constantFrom<Json | undefined>('new', { deep: [1] }, undefined),
  }),
  { minLength: 1, maxLength: 3, selector: ({ path }) => path.join('.') },
);

test('taken back after an edit by somebody else, that edit stays', { tags: ['soak'] }, async () => {
  const depth = depthOf('settingsFiles');
  await checkProperty(
    depth,
    fc.property(generated, foreignEdits, ({ text }, edits) => {
      // By the library's own editor.
      const byOthers = (to: string) =>
        edits.reduce((now, { path, value }) => {
          const isThere = findNodeAtLocation(parseTree(now) as Node, [...path]) !== undefined;
          return value === undefined && !isThere ? now : applyEdits(now, modify(now, [...path], value, {}));
        }, to);
      const { text: edited, done } = jsoncFormat.edit(text, [BASE_URL, KEY, MODEL]);
      const { text: reverted, left } = jsoncFormat.revert(byOthers(edited), done);
      expect(left).toEqual([]);
      expect(parseJsonc(reverted)).toEqual(parseJsonc(byOthers(text)));
    }),
  );
});

test('what somebody else has changed of ours is left as it is, and told', () => {
  const { text, done } = jsoncFormat.edit('{\n  "theme": "dark"\n}\n', [BASE_URL, KEY, MODEL]);
  const changed = text.replace('"any"', '"mine"').replace('"baseUrl": "http', '"baseUrl": "https');
  const { text: reverted, left } = jsoncFormat.revert(changed, done);
  expect(left.map(({ path }) => path)).toEqual([KEY.path, MODEL.path]);
  expect(parseJsonc(reverted)).toEqual({
    theme: 'dark',
    provider: { anthropic: { options: { apiKey: 'mine' } } },
    customModels: [{ ...MODEL.item, baseUrl: 'https://127.0.0.1:3456' }],
  });
});

test('comments that somebody wrote at ours stay', () => {
  const { text, done } = jsoncFormat.edit('{\n  "theme": "dark"\n}\n', [AT_TOP]);
  const changed = text.replace('"a": 1', '// above\n  "a": 1 // beside');
  expect(jsoncFormat.revert(changed, done).text).toBe('{\n  "theme": "dark"\n  // above\n   // beside\n}\n');
});
