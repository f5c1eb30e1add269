import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, isAbsolute, join } from 'node:path';

/** The `claude` binary that runs, and why this one. */
export interface ClaudeExecutable {
  path: string;
  why: string;
  /** Claude Code's version by the SDK's package; unknown for any other binary. */
  version?: string;
}

/** The versions over which the tests of the SDK's facts ran. */
export const TESTED = { sdk: '0.3.332', claudeCode: '2.1.332' } as const;

/** Where to look for a binary that was not chosen. */
interface Whereabouts {
  /** The PATH of the operator. */
  searchPath?: string | undefined;
  /** The folder of an installed package; throws if there is none. */
  folderOf?: (packageName: string) => string;
}

/**
 * Finds the binary: the operator's choice, else the one that comes with the SDK, else a `claude` on the PATH.
 *
 * @param chosen by the operator
 * @throws Error with one line that says the cure
 */
export function findExecutable(
  chosen: string | undefined,
  { searchPath = '', folderOf = installedFolder }: Whereabouts = {},
): ClaudeExecutable {
  if (chosen !== undefined) {
    if (!isExecutable(chosen)) {
      throw new Error(
        `The \`claude\` binary ${chosen} is missing or not executable. Give --claude the path of an executable \`claude\`, or leave it out to use the bundled one.`,
      );
    }
    return { path: chosen, why: 'chosen by --claude' };
  }
  const { sdk, claudeCode } = sdkVersions();
  const bundled = bundledBinaries(folderOf);
  const usable = bundled.find(isExecutable);
  if (usable !== undefined) {
    const why = `bundled with the Agent SDK ${sdk}`;
    return { path: usable, why, ...(claudeCode ? { version: claudeCode } : {}) };
  }
  const missing = bundled[0] ? `${bundled[0]} is missing or not executable` : 'the bundled one is not installed';
  const onPath = searchPath
    .split(delimiter)
    // What a relative folder means depends on where Isthmus was started.
    .filter(isAbsolute)
    .map((folder) => join(folder, PROGRAM))
    .find(isExecutable);
  if (onPath !== undefined) return { path: onPath, why: `found on PATH, since ${missing}` };
  throw new Error(
    `No \`claude\` binary for ${process.platform}-${process.arch}: ${missing}, and there is none on PATH. Run \`npm install\` with optional dependencies, or give --claude PATH.`,
  );
}

/** The versions of the installed Agent SDK and of the Claude Code that it was made for. */
export function sdkVersions(): { sdk: string; claudeCode?: string } {
  const require = createRequire(import.meta.url);
  const file = join(dirname(require.resolve('@anthropic-ai/claude-agent-sdk')), 'package.json');
  const { version, claudeCodeVersion } = JSON.parse(readFileSync(file, 'utf8'));
  return { sdk: version, ...(claudeCodeVersion ? { claudeCode: claudeCodeVersion } : {}) };
}

const PROGRAM = process.platform === 'win32' ? 'claude.exe' : 'claude';

/** Whether or not there is a file. */
function bundledBinaries(folderOf: (packageName: string) => string): string[] {
  return platformPackages().flatMap((name) => {
    try {
      return [join(folderOf(name), PROGRAM)];
    } catch {
      return [];
    }
  });
}

function installedFolder(packageName: string): string {
  return dirname(createRequire(import.meta.url).resolve(`${packageName}/package.json`));
}

function platformPackages(): string[] {
  const base = `@anthropic-ai/claude-agent-sdk-${process.platform}-${process.arch}`;
  if (process.platform !== 'linux') return [base];
  return isMusl() ? [`${base}-musl`, base] : [base, `${base}-musl`];
}

function isMusl(): boolean {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return report.header?.glibcVersionRuntime === undefined;
}

/** Whether a path is a file that this user may run. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
