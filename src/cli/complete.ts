import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { candidatesOf } from './candidates.ts';
import { chooseWord } from './choose-word.ts';
import type { RunCommand } from './command.ts';

/**
 * `isthmus complete SHELL` prints the script that a shell loads; the script asks `isthmus complete -- WORDS…` at each TAB, and gets
 * a line for each candidate: the word, a tab, and what it is about.
 */
export const run: RunCommand = ({ words, rest }) => {
  if (words.length === 0 && rest.length > 0) {
    process.stdout.write(
      candidatesOf(rest)
        .map((candidate) => `${candidate.join('\t')}\n`)
        .join(''),
    );
    return;
  }
  const file = join('completions', `isthmus.${chooseWord('complete', words)}`);
  const root = dirname(createRequire(import.meta.url).resolve('isthmus-gateway/package.json'));
  process.stdout.write(readFileSync(join(root, file), 'utf8'));
};
