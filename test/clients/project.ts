import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** How long one run of a client may take, in milliseconds, before it is taken for stuck. */
const LONGEST_RUN_MS = 90_000;
const NOWHERE = 'http://127.0.0.1:9';

/** The files of a repository: their names, and what is in them. */
export type Files = Record<string, string | Buffer>;

/** What one run of a client printed, and how it ended; the code is null when it had to be killed. */
export interface ClientRun {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** What a program is told, piece by piece, by what it has printed so far. */
export type Conversation = (stdout: () => string) => AsyncIterable<string>;

/** A program that has been started. */
export interface RunningProgram {
  /** What it has printed so far. */
  output: Readonly<{ stdout: string; stderr: string }>;
  /** Rejects when it could not be started. */
  ended: Promise<ClientRun>;
  /** What Ctrl-C in its terminal does. */
  interrupt: () => void;
  /** Ends it with everything that it has started. */
  stop: () => void;
}

/** A git repository with a home of its own, in which a client runs as a user would run it. */
export class Project {
  /** The repository. */
  readonly directory: string;
  /** The client's home. */
  readonly home: string;
  readonly #parent: string;
  readonly #environment: Record<string, string>;

  /**
   * @param client the client's name, for the folder's name alone
   * @param files the repository's first commit
   */
  constructor(client: string, files: Files) {
    this.#parent = mkdtempSync(join(tmpdir(), `isthmus-${client}-`));
    this.directory = join(this.#parent, 'project');
    this.home = join(this.#parent, 'home');
    mkdirSync(this.home);
    mkdirSync(this.directory);
    // Nothing of the machine's own environment but where programs are: no credential and no configuration.
    this.#environment = {
      PATH: process.env.PATH ?? '',
      HOME: this.home,
      TMPDIR: this.home,
      TERM: 'dumb',
      GIT_CONFIG_NOSYSTEM: '1',
      // Where the network cannot be taken away, whatever is not meant for loopback ends at a port that nobody serves.
      ...(process.env.ISTHMUS_CLIENTS_NETWORK === 'loopback'
        ? {}
        : { HTTP_PROXY: NOWHERE, HTTPS_PROXY: NOWHERE, NO_PROXY: '127.0.0.1,localhost' }),
    };
    for (const [name, content] of Object.entries(files)) writeFileSync(this.path(name), content);
    this.#git('init', '--quiet');
    this.#git('add', '--all');
    this.#git('-c', 'user.name=Nobody', '-c', 'user.email=nobody@localhost', 'commit', '--quiet', '-m', 'First');
  }

  /** The absolute path of a file in the repository. */
  path(name: string): string {
    return join(this.directory, name);
  }

  /** The text of a file in the repository. */
  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  /** Runs a program in the repository, to its end; `variables` are added to its environment. */
  async runProgram(
    program: string,
    args: readonly string[],
    variables: Record<string, string>,
    input: string | Conversation = '',
  ): Promise<ClientRun> {
    const running = this.startProgram(program, args, variables, input);
    const timer = setTimeout(running.stop, LONGEST_RUN_MS);
    try {
      return await running.ended;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Starts a program in the repository; `variables` are added to its environment. */
  startProgram(
    program: string,
    args: readonly string[],
    variables: Record<string, string>,
    input: string | Conversation = '',
  ): RunningProgram {
    const child = spawn(program, args, {
      cwd: this.directory,
      env: { ...this.#environment, ...variables },
      stdio: ['pipe', 'pipe', 'pipe'],
      // A process group of its own, so that whatever it starts can be ended with it.
      detached: true,
    });
    const send = (signal: NodeJS.Signals) => () => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, signal);
      } catch {
        // The whole group has ended by itself.
      }
    };
    const stop = send('SIGKILL');
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output.stderr += text;
    });
    const ended = new Promise<ClientRun>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', stop);
      child.once('close', (code) => resolve({ code, ...output }));
      const pieces = typeof input === 'string' ? [input] : input(() => output.stdout);
      pipeline(Readable.from(pieces), child.stdin).catch((error) => {
        // A program that reads no input may have ended before it is there.
        if (typeof input !== 'string') reject(error);
      });
    });
    return { output, ended, interrupt: send('SIGINT'), stop };
  }

  /** Removes the repository and the home. */
  remove(): void {
    rmSync(this.#parent, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }

  #git(...args: string[]): void {
    execFileSync('git', args, { cwd: this.directory, env: this.#environment, stdio: ['ignore', 'ignore', 'inherit'] });
  }
}
