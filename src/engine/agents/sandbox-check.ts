import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { Environment } from '../environment/environment.ts';
import { scratchLike } from '../files/process-files.ts';
import type { RunDirectory } from '../files/run-directory.ts';
import { findOnPath } from '../process/spawner.ts';

/** Why commands of agents cannot be confined here. */
export type SandboxProblem =
  | { kind: 'platform'; platform: string }
  /** The path of the temporary directory is longer than a socket in it may have it, by so many bytes. */
  | { kind: 'path'; excess: number }
  | { kind: 'missing'; programs: readonly string[] }
  /** `words`: what the program said. */
  | { kind: 'refused'; words: string };

/** Programs that Claude Code's sandbox is made of. */
const PROGRAMS = ['bwrap', 'socat'];

/** As Claude Code starts it: a mount, PID and network namespace of its own, with new `/dev` and `/proc`. */
const NAMESPACES = ['--new-session', '--die-with-parent', '--unshare-net', '--unshare-pid', '--ro-bind', '/', '/'];
const MOUNTS = ['--dev', '/dev', '--proc', '/proc'];

/** A socket that Claude Code makes for the sandbox in the scratch folder of a process. */
const SOCKET = 'claude-http-0123456789abcdef.sock';

/** The longest path of a socket, in bytes. */
const LONGEST_SOCKET = 107;

/** How long the sandbox may take to run nothing, in milliseconds. */
const RUN_MS = 10_000;

/**
 * Looks whether Claude Code's sandbox works here; without it a command of an agent would not run.
 *
 * @param variables of the processes
 * @param directory of the gateway's processes
 * @param platform of Node
 * @returns undefined if it works
 */
export async function checkSandbox(
  variables: Environment,
  directory: Pick<RunDirectory, 'temporary'>,
  platform: string = process.platform,
): Promise<SandboxProblem | undefined> {
  // Elsewhere nothing ends what a killed command leaves.
  if (platform !== 'linux') return { kind: 'platform', platform };
  const programs = PROGRAMS.filter((name) => findOnPath(name, variables.PATH ?? '') === undefined);
  if (programs.length > 0) return { kind: 'missing', programs };
  const excess = Buffer.byteLength(join(scratchLike(directory), SOCKET)) - LONGEST_SOCKET;
  if (excess > 0) return { kind: 'path', excess };
  const words = await complaintOf('bwrap', [...NAMESPACES, ...MOUNTS, '--', 'true'], variables);
  return words === undefined ? undefined : { kind: 'refused', words };
}

/** What is wrong, and the cure, as one line. */
export function describeSandboxProblem(problem: SandboxProblem): string {
  switch (problem.kind) {
    case 'platform':
      return `Commands of agents are confined on Linux only, not on ${problem.platform}: use the level \`edit\` or \`read\`.`;
    case 'path':
      return `The sandbox of commands makes sockets in the temporary directory, whose path is ${problem.excess} bytes too long for them: set TMPDIR to a shorter one, such as /tmp, or use the level \`edit\`.`;
    case 'missing':
      return `The sandbox of commands needs ${problem.programs.join(' and ')}, not found on PATH: install the packages bubblewrap and socat (\`apt-get install bubblewrap socat\` on Debian, \`dnf install bubblewrap socat\` on Fedora), or use the level \`edit\`.`;
    case 'refused':
      return `The sandbox of commands does not run here: ${problem.words}. It needs user, PID and network namespaces: on a host allow unprivileged user namespaces (\`kernel.unprivileged_userns_clone=1\`, \`kernel.apparmor_restrict_unprivileged_userns=0\` or an AppArmor profile for bwrap); in a container use a seccomp and an AppArmor profile that allow them and an unmasked /proc (Docker: \`--security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined\`). Or use the level \`edit\`.`;
  }
}

/** What a program says when it fails; undefined when it does not. */
function complaintOf(file: string, args: string[], env: Environment): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(file, args, { env, timeout: RUN_MS }, (error, _stdout, stderr) => {
      resolve(error === null ? undefined : stderr.trim().split('\n').at(-1) || error.message);
    });
  });
}
