import { type ChildProcess, spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';
import type { SpawnedProcess, SpawnOptions } from '@anthropic-ai/claude-agent-sdk';
import { isExecutable } from '../environment/executable.ts';
import { withoutPipes } from './machine-limit.ts';

/**
 * Spawns `claude` processes. On Linux through `setpriv`, so that the kernel kills a process together with the gateway. Else it
 * would live on for seconds and call the model once more.
 *
 * Each leads a session of its own: a Ctrl-C or a closed terminal signals all of the gateway's group, and would end the turns that
 * the gateway lets finish.
 */
export class Spawner {
  readonly #setpriv: string | undefined;

  constructor(path: string | undefined) {
    this.#setpriv = process.platform === 'linux' ? findOnPath('setpriv', path ?? '') : undefined;
  }

  /** Whether a killed gateway takes its processes with it. */
  get tiesLives(): boolean {
    return this.#setpriv !== undefined;
  }

  /** @throws FailureError `machine_at_limit`; other problems are the child's event `error` */
  spawn(options: SpawnOptions): ChildProcess & SpawnedProcess {
    const { command, args, cwd, env } = options;
    const line = this.#setpriv ? [this.#setpriv, '--pdeathsig', 'KILL', command, ...args] : [command, ...args];
    const [file = command, ...rest] = line;
    // On Windows it would open a console.
    const detached = process.platform !== 'win32';
    const child: ChildProcess = spawn(file, rest, {
      cwd,
      env,
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true,
      detached,
    });
    if (!child.stdin) {
      child.once('error', () => undefined);
      throw withoutPipes();
    }
    return child as ChildProcess & SpawnedProcess;
  }
}

/** The first executable file of this name in the folders of `PATH`. */
export function findOnPath(name: string, path: string): string | undefined {
  return path
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable);
}
