import { expect, test } from 'vitest';
import { type Finding, findingsOf, gravest } from './finding.ts';
import { linesOf, summaryOf } from './report.ts';

const { ok, note, warning, problem } = findingsOf('port');

test('a finding is its mark, its check, what it says, and the cure', () => {
  expect(linesOf(problem('Held by\u001b[2J nginx.', 'Stop it.'), { hasColours: false })).toEqual([
    'PROBLEM port            Held by\\u001b[2J nginx.',
    '                        → Stop it.',
  ]);
  expect(linesOf(ok('Free.'), { hasColours: true })).toEqual(['\x1b[32mok\x1b[0m      port            Free.']);
});

test('a narrow terminal breaks between words, under the text', () => {
  expect(linesOf(note('one two three four five', 'six seven eight nine'), { hasColours: false, width: 44 })).toEqual([
    'note    port            one two three four',
    '                        five',
    '                        → six seven eight',
    '                          nine',
  ]);
});

test.each<[Finding[], string, string]>([
  [[ok('a'), note('b')], 'note', 'Nothing stands in the way.'],
  [[warning('a'), ok('b')], 'warning', '1 warning.'],
  [[problem('a'), warning('b'), problem('c')], 'problem', '2 problems, 1 warning.'],
  [[], 'ok', 'Nothing stands in the way.'],
])('%j together are a %s', (findings, level, summary) => {
  expect([gravest(findings), summaryOf(findings)]).toEqual([level, summary]);
});
