import { execFile } from 'node:child_process';
import { neutralEnvironment } from '../engine/environment/environment.ts';
import { type ClaudeExecutable, findExecutable, sdkVersions, TESTED } from '../engine/environment/executable.ts';
import { type Finding, findingsOf, type Surroundings } from './finding.ts';

/** What a look at the `claude` binary has shown. */
export type SeenBinary =
  | { kind: 'missing'; problem: string }
  /** `how` it ended, in a few words. */
  | { kind: 'broken'; executable: ClaudeExecutable; how: string }
  /** `version` as the binary itself says it. */
  | { kind: 'works'; executable: ClaudeExecutable; version: string };

const { ok, warning, problem } = findingsOf('binary');

/** How long `claude --version` may take, in milliseconds. */
const VERSION_MS = 15_000;

/** @param sdk the installed version of the Agent SDK */
export function binaryFindings(seen: SeenBinary, sdk: string): Finding[] {
  if (seen.kind === 'missing') return [problem(seen.problem)];
  const { path, why } = seen.executable;
  if (seen.kind === 'broken') {
    return [
      problem(
        `The \`claude\` binary ${path} (${why}) does not say its version (${seen.how}).`,
        'Run `npm ci` again for the bundled one, or give --claude the path of one that runs for this user.',
      ),
    ];
  }
  const untested = [
    seen.version !== TESTED.claudeCode &&
      `claude ${seen.version} is not the version that Isthmus was tested with (${TESTED.claudeCode})`,
    sdk !== TESTED.sdk && `Agent SDK ${sdk} is not the one that Isthmus was tested with (${TESTED.sdk})`,
  ].filter((text) => typeof text === 'string');
  if (untested.length > 0) {
    return untested.map((text) =>
      warning(`${text}.`, 'Use the bundled one, unless you have a reason: leave --claude out.'),
    );
  }
  return [ok(`claude ${seen.version} (${why}), the version that Isthmus is tested with.`)];
}

/** Asks the binary for its version, in an environment without credentials. */
export async function lookAtBinary({ settings, operator }: Surroundings): Promise<SeenBinary> {
  let executable: ClaudeExecutable;
  try {
    executable = findExecutable(settings.claude, { searchPath: operator.PATH });
  } catch (error) {
    return { kind: 'missing', problem: (error as Error).message };
  }
  const given = Object.fromEntries(Object.entries(operator).flatMap(([name, value]) => (value ? [[name, value]] : [])));
  return new Promise((resolve) => {
    const options = { env: neutralEnvironment(given), timeout: VERSION_MS, killSignal: 'SIGKILL' } as const;
    execFile(executable.path, ['--version'], options, (error, stdout) => {
      const version = /^(\d+\.\d+\.\d+\S*) \(Claude Code\)/.exec(stdout)?.[1];
      if (version !== undefined) resolve({ kind: 'works', executable, version });
      else resolve({ kind: 'broken', executable, how: howItFailed(error) });
    });
  });
}

function howItFailed(error: (Error & { code?: unknown; signal?: unknown; killed?: unknown }) | null): string {
  if (error?.killed) return `nothing within ${VERSION_MS / 1000} s`;
  if (error?.signal) return `signal ${error.signal}`;
  return error === null ? 'it says something else' : `exit code ${error.code}`;
}

export const checkBinary = async (surroundings: Surroundings): Promise<Finding[]> =>
  binaryFindings(await lookAtBinary(surroundings), sdkVersions().sdk);
