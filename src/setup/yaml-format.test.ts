import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { checkProperty, depthOf } from '../../test/support/depth.ts';
import { type Change, UneditableText } from './change.ts';
import { yamlFormat } from './yaml-format.ts';

const ITEM = { name: 'Isthmus', provider: 'anthropic', apiBase: 'http://127.0.0.1:3456/v1' };
const MODEL: Change = { kind: 'item', path: ['models'], by: 'name', item: ITEM };
const NAME: Change = { kind: 'value', path: ['name'], value: 'Isthmus', ifAbsent: true };
const VERSION: Change = { kind: 'value', path: ['version'], value: '1.0.0' };

const edit = (text: string, ...changes: Change[]) => yamlFormat.edit(text, changes).text;

const WRITTEN = (dash: string, lineBreak = '\n') =>
  [`${dash}name: Isthmus`, 'provider: anthropic', 'apiBase: http://127.0.0.1:3456/v1'].join(
    lineBreak + ' '.repeat(dash.length),
  );

describe('what is written', () => {
  test.each<[what: string, before: string, after: string]>([
    ['an empty file', '', `models:\n${WRITTEN('  - ')}\n`],
    ['a file of comments', '# mine\n', `# mine\nmodels:\n${WRITTEN('  - ')}\n`],
    ['no list yet', 'name: x # y\n\n# end', `name: x # y\nmodels:\n${WRITTEN('  - ')}\n\n# end`],
    ['no final break', 'name: x', `name: x\nmodels:\n${WRITTEN('  - ')}`],
    ['an empty list', 'models: [] # none\nname: x\n', `models: # none\n${WRITTEN('  - ')}\nname: x\n`],
    ['no value on a later line', 'name: x\nmodels:\nz: 1\n', `name: x\nmodels:\n${WRITTEN('  - ')}\nz: 1\n`],
    ['null', 'name: x\nmodels: null # none\nz: 1', `name: x\nmodels: # none\n${WRITTEN('  - ')}\nz: 1`],
    ['a tilde', 'models: ~\r\n', `models:\r\n${WRITTEN('  - ', '\r\n')}\r\n`],
    ['no value', 'models: # none\nname: x\n', `models: # none\n${WRITTEN('  - ')}\nname: x\n`],
    [
      'a list',
      'models:\n  - name: a # mine\n  # next\nname: x\n',
      `models:\n  - name: a # mine\n${WRITTEN('  - ')}\n  # next\nname: x\n`,
    ],
    [
      'a list that is not indented',
      'models:\n- name: a\n  b: |\n    c\n\n',
      `models:\n- name: a\n  b: |\n    c\n${WRITTEN('- ')}\n\n`,
    ],
    ['wide dashes', 'models:\n  -   name: a\n', `models:\n  -   name: a\n${WRITTEN('  -   ')}\n`],
    ['CRLF', 'models:\r\n  - name: a\r\n', `models:\r\n  - name: a\r\n${WRITTEN('  - ', '\r\n')}\r\n`],
    [
      'the same item with other values',
      'models:\n  - name: Isthmus\n    x: 1 # y\n  - name: b\n',
      `models:\n${WRITTEN('  - ')} # y\n  - name: b\n`,
    ],
  ])('%s', (_what, before, after) => {
    expect(edit(before, MODEL)).toBe(after);
  });

  test('values at the top: one that is there stays, or is replaced', () => {
    expect(edit('name: mine\nversion: 0.1 # old\n', NAME, VERSION)).toBe('name: mine\nversion: 1.0.0 # old\n');
    expect(edit('', NAME, VERSION)).toBe('name: Isthmus\nversion: 1.0.0\n');
  });
});

test.each<[what: string, text: string, line: number, message: RegExp]>([
  ['a tab', 'name: x\n\tmodels: 1\n', 2, /valid YAML|TAB/],
  ['an open quote', 'a: "x\n', 2, /valid YAML/],
  ['equal keys', 'name: x\nmodels: []\nname: y\n', 3, /a key twice/],
  ['two documents', 'a: 1\n---\nb: 2\n', 2, /valid YAML/],
  ['a list in place of a map', '- a\n', 1, /not a map/],
  ['a map on one line', '{ models: [] }', 1, /not a map/],
  ['a list on one line', 'x: 1\nmodels: [{ name: a }]\n', 2, /not a list/],
  [
    'a list that stands for another one too',
    'models: &all\n  - name: a\nothers: *all\n',
    1,
    /without a change of something else/,
  ],
  ['an alias of nothing', 'x: &a 1\ny: *a\nz: *b\n', 3, /alias that cannot be resolved/],
  ['an alias of nothing for the list', 'models: *b\n', 1, /alias that cannot be resolved/],
  ['lists in lists without end', `models: ${'['.repeat(20_000)}`, 1, /valid YAML/],
  ['maps in maps without end', `models: ${'{a: '.repeat(20_000)}`, 1, /valid YAML/],
  ['something else than a list', 'x: 1\nmodels:\n  a: 1\n', 3, /not a list/],
])('%s is refused, with its line', (_what, text, line, message) => {
  let refused: unknown;
  try {
    edit(text, MODEL);
  } catch (error) {
    refused = error;
  }
  expect(refused).toBeInstanceOf(UneditableText);
  expect(refused).toMatchObject({ line, message: expect.stringMatching(message) });
});

test.each([
  ['inside of it', '\n    provider', ' # theirs\n    provider'],
  ['behind it', '/v1', '/v1 # theirs'],
])('a model at which somebody has written a comment %s stays, and is told', (_where, ours, theirs) => {
  const { text, done } = yamlFormat.edit('', [MODEL]);
  const changed = text.replace(ours, theirs);
  expect(yamlFormat.revert(changed, done)).toEqual({ text: changed, left: done });
});

const comment = fc.constantFrom('', '', ' # note', ' # "models": []', ' # - name: x');
const scalar = fc.constantFrom(
  'plain',
  '"quo: ted # no comment"',
  "'it''s'",
  '1.5',
  'true',
  '|\n      text\n\n      more',
  '>-\n      folded\n      text',
  '[a, b]',
  '{ a: 1 }',
  '',
);
/** A list of models and other keys, as people write them. */
const text = fc
  .record({
    before: fc.array(fc.tuple(fc.constantFrom('title', 'rules', 'x y'), scalar, comment), { maxLength: 2 }),
    list: fc.option(
      fc.record({
        dash: fc.constantFrom('- ', '  - ', '    -   '),
        names: fc.uniqueArray(fc.constantFrom('a', 'b', 'Isthmus'), { maxLength: 3 }),
        inner: scalar,
        none: fc.constantFrom('', ' []', ' [ ]', ' null', ' ~'),
        note: comment,
      }),
    ),
    after: fc.constantFrom('', '# end\n', '\n\n# end\n', 'other: 1\n', '\nother:\n  - 1\n'),
    start: fc.constantFrom('', '---\n', '# head\n\n', '%YAML 1.2\n---\n'),
    lineBreak: fc.constantFrom('\n', '\r\n'),
    isOpen: fc.boolean(),
  })
  .map(({ before, list, after, start, lineBreak, isOpen }) => {
    const keys = before.map(([key, value, note], at) => `${key}${at}: ${value}${value.includes('\n') ? '' : note}\n`);
    const items = list?.names.map((name) => {
      const pad = ' '.repeat(list.dash.length);
      return `${list.dash}name: ${name}${list.note}\n${pad}inner: ${list.inner.replaceAll('\n', `\n${pad}`)}\n`;
    });
    const models =
      items && (items.length > 0 ? `models:${list?.note}\n${items.join('')}` : `models:${list?.none}${list?.note}\n`);
    const whole = start + keys.join('') + (models ?? '') + after;
    return (isOpen ? whole.replace(/\n+$/, '') : whole).replaceAll('\n', lineBreak);
  });

const commentsOf = (of: string) => of.match(/(^|\s)#[^\r\n]*/g)?.map((one) => one.trim()) ?? [];

test('whatever the file: our model, everything else, all comments; twice is once; and it can be taken back', {
  tags: ['soak'],
}, async () => {
  const depth = depthOf('settingsFiles');
  await checkProperty(
    depth,
    fc.property(text, (before) => {
      const value = parse(before) ?? {};
      const { text: after, done } = yamlFormat.edit(before, [NAME, MODEL]);
      const models = ((value.models ?? []) as Array<{ name: string }>).filter(({ name }) => name !== 'Isthmus');
      expect(parse(after)).toEqual({ name: 'Isthmus', ...value, models: expect.arrayContaining([...models, ITEM]) });
      expect(parse(after).models).toHaveLength(models.length + 1);
      const replaced = done.flatMap(({ before: text = '' }) => commentsOf(text));
      expect([...commentsOf(after), ...replaced].sort()).toEqual(commentsOf(before).sort());
      expect(/\n$/.test(after)).toBe(/\n$/.test(before) || before === '');
      expect(after.replaceAll('\r\n', '').includes('\n')).toBe(
        before.replaceAll('\r\n', '').includes('\n') || !before.includes('\r\n'),
      );
      expect(yamlFormat.edit(after, [NAME, MODEL])).toEqual({ text: after, done: [] });
      const { text: reverted, left } = yamlFormat.revert(after, done);
      expect(left).toEqual([]);
      expect(parse(reverted) ?? {}).toEqual(value);
      expect(commentsOf(reverted)).toEqual(commentsOf(before));
      const { text: kept } = yamlFormat.revert(`${after}${/\n$/.test(after) ? '' : '\n'}mine: 1\n`, done);
      expect(parse(kept)).toEqual({ ...value, mine: 1 });
    }),
  );
});
