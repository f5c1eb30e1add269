import type { ChildProcess } from 'node:child_process';
import type { ProcessEnd } from '../../spec/process-end.ts';

/** The child of one SDK query. `end` kills it at once, also when it is spawned only later. */
export class Child {
  readonly #cleanUp: (pid: number | undefined) => void;
  #child: ChildProcess | undefined;
  #isEnded = false;
  #stderr = '';
  #how: Omit<ProcessEnd, 'stderr'> | undefined;
  /** Called once when the process has exited or could not be spawned. */
  onExit: () => void = () => undefined;
  /** Resolves when the process is no more; at once if there never was one. */
  gone: Promise<void> = Promise.resolve();

  /** @param cleanUp called when the process is no more, or is ended before it ever was */
  constructor(cleanUp: (pid: number | undefined) => void = () => undefined) {
    this.#cleanUp = cleanUp;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** How the process ended; undefined while it lives, and when it never did. */
  get ended(): ProcessEnd | undefined {
    return this.#how && { ...this.#how, stderr: this.#stderr.trim() };
  }

  adopt(child: ChildProcess): void {
    this.#child = child;
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString('utf8')).slice(-2000);
    });
    // Written to after its end; the exit tells of that.
    child.stdin?.on('error', () => undefined);
    this.gone = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#how ??= { code, signal };
        resolve();
      });
      child.once('error', (error) => {
        this.#how ??= { code: null, signal: null, spawnError: error.message };
        resolve();
      });
    });
    void this.gone.then(() => {
      this.#cleanUp(child.pid);
      this.onExit();
    });
    if (this.#isEnded) child.kill('SIGKILL');
  }

  /** Cleans up without waiting until the process is no more, for the last moment in which that is possible. */
  abandon(): void {
    this.#cleanUp(this.pid);
  }

  /** SIGKILL: any gentler end lets the CLI call the model once more. */
  end(): void {
    this.#isEnded = true;
    if (this.#child) this.#child.kill('SIGKILL');
    else this.#cleanUp(undefined);
  }
}
