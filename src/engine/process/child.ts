import type { ChildProcess } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import type { SessionKey } from '@anthropic-ai/claude-agent-sdk';
import type { Failure } from '../../spec/failures.ts';
import type { ProcessEnd } from '../../spec/process-end.ts';
import { limitFailure } from './machine-limit.ts';

/** The most characters that are kept of a process's words. */
const LONGEST_WORDS = 2_000;

/** How long the last words may come after the exit, in milliseconds: something else may hold the pipe open. */
const LAST_WORDS_MS = 100;

/** The child process of one SDK query. Here a process is killed: {@link Child.end} does it. */
export class Child {
  readonly #cleanUp: (child: Child) => void;
  #child: ChildProcess | undefined;
  /** The SDK's folder with the transcript that the process resumes. */
  resumed: string | undefined;
  /** Where it runs. */
  workingDirectory: string | undefined;
  /** Where Claude Code's configuration has the transcript of a process that resumes none. */
  transcript: SessionKey | undefined;
  #isEnded = false;
  #stderr = '';
  /** What came on stdout before the first message. */
  #stdout = '';
  #how: Omit<ProcessEnd, 'stderr'> | undefined;
  /** The limit for which it could not be spawned. */
  limit: Failure | undefined;
  /** Called once when the process has exited or could not be spawned; its last words may not be read yet. */
  onExit: () => void = () => undefined;
  /** Resolves when the process has exited and its last words are read; at once if there never was one. */
  gone: Promise<void> = Promise.resolve();

  /** @param cleanUp called when the process has exited, or when it is ended before it was spawned */
  constructor(cleanUp: (child: Child) => void = () => undefined) {
    this.#cleanUp = cleanUp;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Whether it was ended or has ended by itself. */
  get isEnded(): boolean {
    return this.#isEnded || this.#how !== undefined;
  }

  /** How the process ended; undefined while it lives and before it is spawned. */
  get ended(): ProcessEnd | undefined {
    return this.#how && { ...this.#how, stderr: wordsOf(this.#stderr) || wordsOf(this.#stdout) };
  }

  adopt(child: ChildProcess): void {
    this.#child = child;
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = withMore(this.#stderr, chunk);
    });
    this.#hearBeforeMessages(child);
    // A write after the exit fails here; the exit itself tells what happened.
    child.stdin?.on('error', () => undefined);
    const exited = (how: Omit<ProcessEnd, 'stderr'>) => {
      if (this.#how) return;
      this.#how = how;
      this.onExit();
    };
    this.gone = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        exited({ code, signal });
        killGroup(child);
        const timer = setTimeout(resolve, LAST_WORDS_MS);
        child.once('close', () => {
          clearTimeout(timer);
          resolve();
        });
      });
      child.once('error', (error) => {
        this.limit = limitFailure(error);
        exited({ code: null, signal: null, spawnError: error.message });
        resolve();
      });
    });
    void this.gone.then(() => this.#cleanUp(this));
    if (this.#isEnded) kill(child);
  }

  /**
   * Keeps what the process writes to stdout before its first message: a binary may say there why it ends, and the SDK skips it.
   * Listens from when the SDK reads: an earlier listener would set the stream flowing before the SDK hears it.
   */
  #hearBeforeMessages({ stdout }: ChildProcess): void {
    const hear = (chunk: Buffer) => {
      const text = chunk.toString('utf8');
      if (/^\s*\{/.test(text)) stdout?.off('data', hear);
      else this.#stdout = withMore(this.#stdout, chunk);
    };
    stdout?.once('resume', () => stdout.on('data', hear));
  }

  /** Cleans up without waiting for the exit: for the end of the program, which waits for nothing. */
  abandon(): void {
    this.#cleanUp(this);
  }

  /** SIGKILL: any gentler end lets the CLI call the model once more. */
  end(): void {
    this.#isEnded = true;
    if (this.#child) kill(this.#child);
    else this.#cleanUp(this);
  }
}

/** Kills the child itself, too: the SDK asks its `killed` flag. */
function kill(child: ChildProcess): void {
  killGroup(child);
  child.kill('SIGKILL');
}

/** What a process has started lives in its group: the sandbox of an agent's commands, for one. Windows has no groups. */
function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined || process.platform === 'win32') return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing of it is left.
  }
}

function withMore(words: string, chunk: Buffer): string {
  return (words + chunk.toString('utf8')).slice(-LONGEST_WORDS);
}

/** Without the colours that a program gives a terminal. */
function wordsOf(output: string): string {
  return stripVTControlCharacters(output).trim();
}
