import { CLIENT_KEY } from './client.ts';

/** A shell that variables can be written for. */
export type Shell = (typeof SHELLS)[number];

export const SHELLS = ['sh', 'fish', 'powershell'] as const;

/** What points the official SDKs, and most programs made with them, at a gateway: some read the key, some the token. */
export function sdkVariables(url: string): Readonly<Record<string, string>> {
  return { ANTHROPIC_BASE_URL: url, ANTHROPIC_AUTH_TOKEN: CLIENT_KEY, ANTHROPIC_API_KEY: CLIENT_KEY };
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
  if (name === 'pwsh' || name === 'powershell') return 'powershell';
  return name === 'fish' ? 'fish' : 'sh';
}
