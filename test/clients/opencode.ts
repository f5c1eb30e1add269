import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How long one `opencode` command may take, in milliseconds, before it is taken for stuck. */
const LONGEST_RUN_MS = 90_000;
const NOWHERE = 'http://127.0.0.1:9';

/** What one `opencode` command printed, and how it ended; the code is null when it had to be killed. */
export interface OpenCodeRun {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A git repository with a home of its own, in which OpenCode runs as a user would run it. */
export class OpenCodeProject {
  /** The repository. */
  readonly directory: string;
  readonly #parent: string;
  readonly #environment: Record<string, string>;

  /**
   * @param baseUrl what OpenCode is told to be the Messages API, with its `/v1`
   * @param files the repository's first commit
   */
  constructor(baseUrl: string, files: Record<string, string>) {
    this.#parent = mkdtempSync(join(tmpdir(), 'isthmus-opencode-'));
    this.directory = join(this.#parent, 'project');
    const home = join(this.#parent, 'home');
    mkdirSync(home);
    mkdirSync(this.directory);
    // Nothing of the machine's own environment but where programs are: no credential and no configuration.
    this.#environment = {
      PATH: process.env.PATH ?? '',
      HOME: home,
      TMPDIR: home,
      TERM: 'dumb',
      GIT_CONFIG_NOSYSTEM: '1',
      OPENCODE_DISABLE_AUTOUPDATE: '1',
      OPENCODE_DISABLE_MODELS_FETCH: '1',
      OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
      OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
      // Where the network cannot be taken away, whatever is not meant for loopback ends at a port that nobody serves.
      ...(process.env.ISTHMUS_CLIENTS_NETWORK === 'loopback'
        ? {}
        : { HTTP_PROXY: NOWHERE, HTTPS_PROXY: NOWHERE, NO_PROXY: '127.0.0.1,localhost' }),
    };
    const configuration = {
      autoupdate: false,
      share: 'disabled',
      permission: 'allow',
      model: 'anthropic/claude-sonnet-4-5',
      provider: { anthropic: { options: { baseURL: baseUrl, apiKey: 'dummy' } } },
    };
    for (const [name, text] of Object.entries({ ...files, 'opencode.json': JSON.stringify(configuration, null, 2) })) {
      writeFileSync(join(this.directory, name), text);
    }
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

  /** Runs `opencode` with these arguments in the repository, to its end. */
  async run(...args: string[]): Promise<OpenCodeRun> {
    const binary = process.env.ISTHMUS_CLIENTS_OPENCODE;
    if (!binary) throw new Error('Run these checks with `npm run test:clients`, which installs OpenCode first.');
    const child = spawn(binary, args, {
      cwd: this.directory,
      env: this.#environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      // A process group of its own, so that whatever it starts can be ended with it.
      detached: true,
    });
    const endGroup = () => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // The whole group has ended by itself.
      }
    };
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output.stderr += text;
    });
    const timer = setTimeout(endGroup, LONGEST_RUN_MS);
    try {
      const code = await new Promise<number | null>((resolve, reject) => {
        child.once('error', reject);
        child.once('exit', endGroup);
        child.once('close', resolve);
      });
      return { code, ...output };
    } finally {
      clearTimeout(timer);
      endGroup();
    }
  }

  /** Removes the repository and the home. */
  remove(): void {
    rmSync(this.#parent, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }

  #git(...args: string[]): void {
    execFileSync('git', args, { cwd: this.directory, env: this.#environment, stdio: ['ignore', 'ignore', 'inherit'] });
  }
}
