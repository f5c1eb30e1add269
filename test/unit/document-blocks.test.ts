import { type ParseError, parse } from 'jsonc-parser';
import { describe, expect, test } from 'vitest';
import { markdownOf, sitePages } from '../../site/pages.js';
import { checkFlags, parseCommandLine } from '../../src/cli/arguments.ts';
import { type CommandName, commandOf } from '../../src/cli/command-table.ts';
import { isFlag, keyOfVariable } from '../../src/config/setting-table.ts';
import { codeSpans, documentBlocks } from '../support/document-blocks.ts';

/** What the documents show beside what the test over the real parts runs. */

/** Pages that say what was, or what is no command line of ours. */
const HISTORY = ['CHANGELOG.md', 'docs/newcomers-walk.md'];

/** Variables of the tests, beside those of the settings. */
const OF_TESTS = ['ISTHMUS_TEST_SEED', 'ISTHMUS_TEST_RUNS', 'ISTHMUS_SOAK_MINUTES'];

const blocks = documentBlocks();

describe('the documents', () => {
  test.each(blocks.filter(({ language }) => /^jsonc?$/.test(language)))('$place is JSON', ({ language, text }) => {
    const errors: ParseError[] = [];
    parse(text, errors, { disallowComments: language === 'json', allowTrailingComma: language === 'jsonc' });
    expect(errors).toEqual([]);
  });

  test('every command line of Isthmus is one that it takes', () => {
    const lines = [
      ...blocks
        .filter(({ language }) => language === 'sh')
        .flatMap(({ place, text }) =>
          text
            .replaceAll('\\\n', ' ')
            .split('\n')
            .map((line) => ({ place, text: line })),
        ),
      ...codeSpans(),
    ].filter(({ place }) => !HISTORY.some((source) => place.startsWith(`${source}:`)));
    const calls = lines.flatMap(({ place, text }) => ownCalls(text).map((words) => ({ place, words })));
    expect(calls.length).toBeGreaterThan(10);
    const refused = calls.flatMap(({ place, words }) => {
      const problem = problemOf(words);
      return problem === undefined ? [] : [`${place}: isthmus ${words.join(' ')}: ${problem}`];
    });
    expect(refused).toEqual([]);
  });

  test('every variable of Isthmus is one that it reads', () => {
    const unknown = sitePages().flatMap(({ source }) =>
      [...markdownOf(source).matchAll(/\bISTHMUS_[A-Z_]+\b/g)]
        .map(([name]) => name)
        .filter((name) => !OF_TESTS.includes(name) && name !== 'ISTHMUS_CONFIG' && !isFlag(keyOfVariable(name) ?? ''))
        .map((name) => `${source}: ${name}`),
    );
    expect(unknown).toEqual([]);
  });
});

/** The words behind the program's name, for each call of it in a line of a shell. */
function ownCalls(line: string): string[][] {
  return line
    .replace(/(^|\s)#.*$/, '')
    .split(/&&|\||;/)
    .flatMap((call) => {
      const [, words] =
        /^(?:\s*\w+=\S+)*\s*(?:isthmus|node bin\/isthmus\.js|npx isthmus-gateway)((?:\s+\S+)*)\s*$/.exec(call) ?? [];
      return words === undefined ? [] : [words.trim().split(/\s+/).filter(Boolean)];
    });
}

/** Why the program would refuse these words; undefined if it takes them. */
function problemOf(words: string[]): string | undefined {
  try {
    const { command, flags } = parseCommandLine(words);
    if (command === undefined || command === 'help') return undefined;
    // The documents write a command that is left open in upper case.
    if (/^[A-Z]+$/.test(command)) return undefined;
    if (!commandOf(command)) return 'no such command';
    checkFlags(command as CommandName, flags);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
