import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ISTHMUS } from '../support/gateway.ts';

/** `isthmus complete` in the shells themselves. A shell that is not here is skipped; `.ci/run` installs all three. */

const folder = mkdtempSync(join(tmpdir(), 'isthmus-complete-'));
writeFileSync(join(folder, 'isthmus'), `#!/bin/sh\nexec '${process.execPath}' '${ISTHMUS}' "$@"\n`, { mode: 0o755 });
writeFileSync(join(folder, 'my.json'), '{}');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const PATH = `${folder}${delimiter}${process.env.PATH}`;
const has = (program: string) => PATH.split(delimiter).some((place) => existsSync(join(place, program)));

function run(program: string, args: string[]): string {
  const env = { PATH, HOME: folder, TERM: 'dumb' };
  return execFileSync(program, args, { env, cwd: folder, encoding: 'utf8', timeout: 60_000 });
}

/** The first word of each line; what it is about stands behind it. */
function candidates(printed: string): string[] {
  return printed
    .trim()
    .split('\n')
    .map((line) => line.split(/[\t:]/)[0] ?? '');
}

/** What the word at the end of a line can become. */
const SHELLS: Record<string, { needs: () => boolean; complete: (line: string) => string[] }> = {
  bash: {
    needs: () => has('bash') && existsSync('/usr/share/bash-completion/bash_completion'),
    complete: (line) => {
      const words = line.split(' ');
      const script = [
        '. /usr/share/bash-completion/bash_completion; . <(isthmus complete bash)',
        `COMP_LINE='${line}'; COMP_POINT=${line.length}; COMP_CWORD=${words.length - 1}`,
        `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})`,
        // `compopt` is for a completion that the shell itself has begun.
        'compopt() { :; }; __isthmus_complete; declare -p COMPREPLY',
      ];
      const printed = run('bash', ['--norc', '-c', script.join('\n')]);
      return [...printed.matchAll(/"(.*?)"/g)].map(([, candidate]) => candidate ?? '');
    },
  },
  fish: {
    needs: () => has('fish'),
    complete: (line) =>
      candidates(run('fish', ['--no-config', '-c', `isthmus complete fish | source; complete -C '${line}'`])),
  },
  zsh: {
    needs: () => has('zsh'),
    complete: (line) => {
      const words = line.split(' ');
      const script = [
        'compdef() { :; }',
        // In the place of the shell's menu.
        '_describe() { print -rl -- $completions; }',
        'source <(isthmus complete zsh)',
        `words=(${words.map((word) => `'${word}'`).join(' ')}); CURRENT=${words.length}`,
        '_isthmus',
      ];
      return candidates(run('zsh', ['-f', '-c', script.join('\n')]));
    },
  },
};

for (const [name, { needs, complete }] of Object.entries(SHELLS)) {
  const isHere = needs();
  test.skipIf(!isHere)(
    `${name} completes commands, words, flags, values and paths${isHere ? '' : ' (it is not installed)'}`,
    () => {
      expect(complete('isthmus dem')).toEqual(['demo']);
      expect(complete('isthmus sessions p')).toEqual(['purge']);
      expect(complete('isthmus serve --max-').sort()).toEqual(['--max-memory-mb', '--max-processes']);
      expect(complete('isthmus serve --retries g')).toEqual(['gateway']);
      expect(complete('isthmus serve --config my')).toEqual(['my.json']);
    },
  );
}
