import { accessSync, constants, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The `claude` binary that runs, and why this one. */
export interface ClaudeExecutable {
  path: string;
  why: string;
  /** Claude Code's version by the SDK's package; unknown for a binary that the operator chose. */
  version?: string;
}

/** The versions over which the tests of the SDK's facts ran. */
export const TESTED = { sdk: '0.3.332', claudeCode: '2.1.332' } as const;

/**
 * Finds the binary: the operator's choice, else the one that comes with the SDK.
 *
 * @throws Error with one line that says the cure
 */
export function findExecutable(chosen: string | undefined): ClaudeExecutable {
  if (chosen !== undefined) {
    assertExecutable(
      chosen,
      'Give --claude the path of an executable `claude`, or leave it out to use the bundled one.',
    );
    return { path: chosen, why: 'chosen by --claude' };
  }
  const require = createRequire(import.meta.url);
  for (const name of platformPackages()) {
    let packageFile: string;
    try {
      packageFile = require.resolve(`${name}/package.json`);
    } catch {
      continue;
    }
    const path = join(dirname(packageFile), process.platform === 'win32' ? 'claude.exe' : 'claude');
    assertExecutable(path, `Reinstall the package ${name}.`);
    const { claudeCode } = sdkVersions();
    return {
      path,
      why: `bundled with the Agent SDK ${sdkVersions().sdk}`,
      ...(claudeCode ? { version: claudeCode } : {}),
    };
  }
  throw new Error(
    `No \`claude\` binary for ${process.platform}-${process.arch}: run \`npm ci\` with optional dependencies, or give --claude PATH.`,
  );
}

/** The versions of the installed Agent SDK and of the Claude Code that it was made for. */
export function sdkVersions(): { sdk: string; claudeCode?: string } {
  const require = createRequire(import.meta.url);
  const file = join(dirname(require.resolve('@anthropic-ai/claude-agent-sdk')), 'package.json');
  const { version, claudeCodeVersion } = JSON.parse(readFileSync(file, 'utf8'));
  return { sdk: version, ...(claudeCodeVersion ? { claudeCode: claudeCodeVersion } : {}) };
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

function assertExecutable(path: string, cure: string): void {
  try {
    accessSync(path, constants.X_OK);
  } catch {
    throw new Error(`The \`claude\` binary ${path} is missing or not executable. ${cure}`);
  }
}
