import { spawn } from 'node:child_process';
import { findOnPath } from '../engine/process/spawner.ts';
import type { Client } from './client.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** How long a client may take to say its version, in milliseconds. */
const VERSION_MS = 8_000;

/** The program of a client on the user's PATH; undefined if none is there. */
export function programOf({ programs }: Client, environment: Variables): string | undefined {
  return programs.map((name) => findOnPath(name, environment.PATH ?? '')).find((path) => path !== undefined);
}

/** What a client says its version is; undefined if it says none in time. */
export function versionOf(
  { versionArgs }: Client,
  program: string,
  environment: Variables,
  limitMs = VERSION_MS,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    // A process group of its own, so that what it starts ends with it.
    const detached = process.platform !== 'win32';
    const child = spawn(program, versionArgs, { env: environment, stdio: ['ignore', 'pipe', 'ignore'], detached });
    let output = '';
    const end = (version: string | undefined) => {
      clearTimeout(timer);
      killGroup(child.pid, detached);
      child.stdout.destroy();
      resolve(version);
    };
    const timer = setTimeout(() => end(undefined), limitMs);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.once('error', () => end(undefined));
    child.once('close', () => end(/\d+\.\d+[\w.+-]*/.exec(output)?.[0]));
  });
}

function killGroup(pid: number | undefined, isGroup: boolean): void {
  if (pid === undefined) return;
  try {
    process.kill(isGroup ? -pid : pid, 'SIGKILL');
  } catch {
    // It has ended with all that it had started.
  }
}
