import { CLIENT_KEY } from './client.ts';

/** A shell that variables can be written for. */
export type Shell = (typeof FORMS)[number];

const FORMS = ['sh', 'fish', 'powershell'] as const;

/** Shells that take the lines of another one, by their names. */
const ALIKE: ReadonlyMap<string, Shell> = new Map([
  ['bash', 'sh'],
  ['zsh', 'sh'],
  ['pwsh', 'powershell'],
]);

/** The shells that a user can name. */
export const SHELLS: readonly string[] = [...ALIKE.keys(), ...FORMS];

/** What points the official SDKs, and most programs made with them, at a gateway: some read the key, some the token. */
export function sdkVariables(url: string): Readonly<Record<string, string>> {
  return {
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_AUTH_TOKEN: CLIENT_KEY,
    ANTHROPIC_API_KEY: CLIENT_KEY,
    OPENAI_BASE_URL: `${url}/v1`,
    OPENAI_API_KEY: CLIENT_KEY,
  };
}

/** The lines that a shell is to run, with a word for people. */
export function envLines(shell: Shell, url: string): string[] {
  return [
    ...Object.entries(sdkVariables(url)).map(([name, value]) => exportLine(shell, name, value)),
    // Last: `eval $(…)` without quotes makes one line of all.
    '# For the shell of a client, not for that of `isthmus serve`. For Claude Code: isthmus launch claude-code',
  ];
}

/** The shell that a user names; undefined if there are no lines for it. */
export function shellOf(word: string): Shell | undefined {
  return ALIKE.get(word) ?? FORMS.find((shell) => shell === word);
}

/** The line that sets a variable in a shell, whatever is in its value. */
export function exportLine(shell: Shell, name: string, value: string): string {
  switch (shell) {
    case 'sh':
      return `export ${name}='${value.replaceAll("'", "'\\''")}'`;
    case 'fish':
      return `set -gx ${name} '${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
    case 'powershell':
      // PowerShell takes typographic quotes for straight ones.
      return `$env:${name} = '${value.replaceAll(/['‘’‚‛]/g, '$&$&')}'`;
  }
}

/** The shell of a user by the path in `SHELL`; what is not known is taken for one like `sh`. */
export function shellNamed(path: string | undefined, platform: NodeJS.Platform): Shell {
  if (!path) return platform === 'win32' ? 'powershell' : 'sh';
  const name = path
    .split(/[/\\]/)
    .at(-1)
    ?.replace(/\.exe$/, '');
  return shellOf(name ?? '') ?? 'sh';
}
