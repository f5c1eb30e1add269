import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ISTHMUS } from '../support/gateway.ts';

/**
 * `isthmus complete` in the shells themselves, each with a terminal of its own: what a TAB makes of a line is what the line then runs.
 * A shell that is not here is skipped; `.ci/run` installs all three.
 */

const PACKAGE = '/usr/share/bash-completion/bash_completion';
const PATH = process.env.PATH ?? '';
const has = (program: string) => PATH.split(delimiter).some((place) => existsSync(join(place, program)));

/** The shells without the files of any user: how each is started, and what it is told first. */
const SHELLS: Record<string, { needs: boolean; start: string; load: string }> = {
  bash: {
    needs: has('bash'),
    start: 'bash --norc --noprofile -i',
    load: 'eval "$(isthmus complete bash)"',
  },
  'bash with its package bash-completion': {
    needs: has('bash') && existsSync(PACKAGE),
    start: 'bash --norc --noprofile -i',
    load: `. ${PACKAGE}; eval "$(isthmus complete bash)"`,
  },
  zsh: {
    needs: has('zsh'),
    start: 'zsh -f -i',
    load: 'autoload -Uz compinit; compinit -u -D; eval "$(isthmus complete zsh)"',
  },
  fish: {
    needs: has('fish'),
    start: 'fish --no-config -i',
    load: 'isthmus complete fish | source',
  },
};

/** A name that is a command for whoever expands it. */
const HOSTILE = 'x$(touch by-name)';

/** What is typed before TAB and Enter, and what then runs. */
const LINES: [typed: string, run: string[]][] = [
  ['isthmus dem', ['demo']],
  ['isthmus help doc', ['help', 'doctor']],
  ['isthmus 2> /dev/null sess', ['sessions']],
  ['isthmus sessions p', ['sessions', 'purge']],
  ['isthmus launch open', ['launch', 'opencode']],
  ['isthmus setup dr', ['setup', 'droid']],
  ['isthmus env --shell fi', ['env', '--shell', 'fish']],
  ['isthmus serve --max-p', ['serve', '--max-processes']],
  ['isthmus --strict serve --retries g', ['--strict', 'serve', '--retries', 'gateway']],
  ['isthmus serve --retries=g', ['serve', '--retries=gateway']],
  ['isthmus serve --config my', ['serve', '--config', 'my.json']],
  ['isthmus serve --config=my', ['serve', '--config=my.json']],
  ['isthmus serve --config ~/my', ['serve', '--config', '$HOME/my.json']],
  ['isthmus serve --config x', ['serve', '--config', HOSTILE]],
  ['isthmus launch opencode -- --stri', ['launch', 'opencode', '--', '--stri']],
  ['isthmus launch opencode -- my', ['launch', 'opencode', '--', 'my.json']],
  ['isthmus serve --port my', ['serve', '--port', 'my']],
];

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder with a program `isthmus` that completes as ours does, and else says what it was run with. */
function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-complete-'));
  folders.push(folder);
  const lines = [
    '#!/bin/sh',
    `if [ "$1" = complete ]; then exec '${process.execPath}' '${ISTHMUS}' "$@"; fi`,
    "printf '<ran'; printf '|%s' \"$@\"; echo '>'",
  ];
  writeFileSync(join(folder, 'isthmus'), `${lines.join('\n')}\n`, { mode: 0o755 });
  for (const name of ['my.json', 'kept.json', HOSTILE]) writeFileSync(join(folder, name), '{}');
  return folder;
}

/** A shell in a terminal of its own. */
class Terminal {
  readonly #child;
  #printed = '';
  #wake = () => {};

  constructor(start: string, folder: string) {
    const env = { PATH: `${folder}${delimiter}${PATH}`, HOME: folder, TERM: 'dumb', PS1: '$ ', SHELL: '/bin/sh' };
    this.#child = spawn('script', ['-qfec', `stty cols 500; exec ${start}`, '/dev/null'], { env, cwd: folder });
    this.#child.stdout.on('data', (chunk) => {
      this.#printed += chunk;
      this.#wake();
    });
  }

  /** Types keys, and waits until `isthmus` has run. @returns what was printed until then */
  async type(keys: string): Promise<string> {
    this.#printed = '';
    this.#child.stdin.write(keys);
    while (!/<ran.*>/.test(this.#printed)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#printed;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.stdin.end('exit\n');
    await closed;
  }
}

/** The words that `isthmus` was run with. */
function wordsOf(printed: string): string[] | undefined {
  return /<ran\|?(.*)>/.exec(printed)?.[1]?.split('|');
}

const hasTerminals = process.platform === 'linux' && has('script');

for (const [name, { needs, start, load }] of Object.entries(SHELLS)) {
  const reason = !hasTerminals ? ' (there is no `script` of util-linux)' : !needs ? ' (it is not installed)' : '';
  describe.skipIf(reason !== '')(`${name}${reason}`, () => {
    test('completes what it knows, leaves the rest to the shell, and runs and writes nothing before Enter', async () => {
      const folder = makeFolder();
      const before = readdirSync(folder).sort();
      const shell = new Terminal(start, folder);
      try {
        // Twice: a user's file may be read again.
        const loaded = await shell.type(`${load}; ${load}; isthmus loaded\n`);
        expect(loaded).not.toMatch(/readonly|not found|error/i);

        for (const [typed, run] of LINES) {
          // fish lists redirections among the words.
          if (name === 'fish' && typed.includes('2>')) continue;
          const words = wordsOf(await shell.type(`${typed}\t\n`));
          expect(words, typed).toEqual(run.map((word) => word.replace('$HOME', folder)));
        }

        // Ctrl-U takes the line back.
        const taken = ['isthmus launch opencode -- $(touch early) my', 'isthmus serve > kept.json --stri'];
        for (const line of taken) await shell.type(`${line}\t\u0015isthmus taken\n`);
        expect(readFileSync(join(folder, 'kept.json'), 'utf8')).toBe('{}');
        await shell.type('isthmus serve > kept.json --stri\t; isthmus written\n');
        expect(wordsOf(readFileSync(join(folder, 'kept.json'), 'utf8'))).toEqual(['serve', '--strict']);
        expect(
          readdirSync(folder)
            .filter((file) => !file.startsWith('.'))
            .sort(),
        ).toEqual(before);
      } finally {
        await shell.close();
      }
    });
  });
}
