import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const ISTHMUS = join(ROOT, 'bin', 'isthmus.js');

/** An environment built from nothing: a temporary home, a dummy key, and the scripted model as the API. */
export interface Surroundings {
  home: string;
  env: Record<string, string>;
  remove(): void;
}

export function surroundings(
  modelUrl: string,
  extra: Record<string, string> = {},
  home: string = mkdtempSync(join(tmpdir(), 'isthmus-test-')),
): Surroundings {
  return {
    home,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: home,
      TMPDIR: home,
      CLAUDE_CONFIG_DIR: join(home, 'claude'),
      ANTHROPIC_API_KEY: 'dummy',
      ANTHROPIC_BASE_URL: modelUrl,
      // Whatever is not on loopback ends at a closed port of it.
      HTTP_PROXY: 'http://127.0.0.1:9',
      HTTPS_PROXY: 'http://127.0.0.1:9',
      NO_PROXY: '127.0.0.1,localhost',
      ...extra,
    },
    remove: () => rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 }),
  };
}

/** Claude Code's configuration of a gateway in this home, where no login pays. */
export const ownConfigurationIn = (home: string): string => join(home, '.local', 'state', 'isthmus', 'claude');

/**
 * Signs a home in as `claude login` does, with tokens that nobody takes.
 *
 * @param lifetimeMs how long its access token says that it is good
 * @param emailAddress of who signs in
 * @returns the variables to start a gateway with, so that the sign-in is what pays
 */
export function signIn(
  home: string,
  lifetimeMs = 8 * 3_600_000,
  emailAddress = 'someone@example.test',
): Record<string, string> {
  const configuration = join(home, 'claude');
  mkdirSync(configuration, { recursive: true });
  const claudeAiOauth = {
    accessToken: 'sk-ant-oat01-dummy',
    refreshToken: 'sk-ant-ort01-dummy',
    expiresAt: Date.now() + lifetimeMs,
    scopes: ['user:inference', 'user:profile'],
    subscriptionType: 'max',
  };
  const oauthAccount = {
    accountUuid: randomUUID(),
    emailAddress,
    organizationUuid: randomUUID(),
    organizationName: 'Lab',
  };
  writeFileSync(join(configuration, '.credentials.json'), JSON.stringify({ claudeAiOauth }), { mode: 0o600 });
  writeFileSync(join(configuration, '.claude.json'), JSON.stringify({ oauthAccount }), { mode: 0o600 });
  return { ANTHROPIC_API_KEY: '' };
}

/** A gateway as a user runs it: the real program in a process of its own. */
export interface TestGateway {
  url: string;
  home: string;
  child: ChildProcess;
  /** What it has written to stdout and stderr so far. */
  output: () => string;
  health: () => Promise<Health>;
  /**
   * SIGTERM, then the exit code.
   *
   * @param beforeRemoval looks at what is left in the home
   * @param home for another gateway it is kept
   */
  stop: (beforeRemoval?: () => void, home?: 'keeps its home') => Promise<number | null>;
}

export interface Health {
  mode: string;
  credential: string;
  processes: { streaming: number; held: number; idle: number; spare: number; spawning: number };
  waiting: number;
  memoryBytes: number;
  reuse: { loads: number };
}

/** Runs the program and waits for its end. */
export async function runIsthmus(
  args: string[],
  env: Record<string, string>,
): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [ISTHMUS, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  const [code] = await once(child, 'close');
  return { code, output };
}

/** A test that fails may not come to its clean-up. */
const children = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** What a gateway is started with beside its flags. */
export interface StartOptions {
  /** More variables of its environment, or what makes them for its home. */
  env?: Record<string, string> | ((home: string) => Record<string, string>);
  /** Of another gateway, in place of a new one. */
  home?: string;
  /** The words to put before its command, for its home. */
  wrap?: (home: string) => string[];
}

/** Spawns `isthmus serve` on a free port over a scripted model. */
export function spawnGateway(modelUrl: string, flags: string[] = [], options: StartOptions = {}) {
  // A test that ends within a turn does not wait for it as long as a user would.
  const { env, home, remove } = surroundings(modelUrl, { ISTHMUS_DRAIN_SECONDS: '10' }, options.home);
  Object.assign(env, typeof options.env === 'function' ? options.env(home) : options.env);
  const command = [process.execPath, ISTHMUS, 'serve', '--port', '0', ...flags];
  const [program = '', ...rest] = [...(options.wrap?.(home) ?? []), ...command];
  const child = spawn(program, rest, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  return { child, home, remove };
}

/** Starts `isthmus serve` on a free port over a scripted model, and waits until it listens. */
export async function startGateway(
  modelUrl: string,
  flags: string[] = [],
  options: StartOptions = {},
): Promise<TestGateway> {
  const { child, home, remove } = spawnGateway(modelUrl, flags, options);
  let output = '';
  const url = await new Promise<string>((resolve, reject) => {
    const onData = (chunk: Buffer) => {
      output += chunk;
      const match = /listens on (\S+)/.exec(output);
      if (match?.[1]) resolve(match[1]);
    };
    child.stdout.on('data', onData);
    child.stderr.on('data', onData);
    child.once('exit', (code) => reject(new Error(`isthmus serve ended with ${code}: ${output}`)));
  });
  return {
    url,
    home,
    child,
    output: () => output,
    health: async () => (await fetch(`${url}/health`)).json() as Promise<Health>,
    stop: async (beforeRemoval, itsHome) => {
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit');
        child.kill('SIGTERM');
        await exited;
        beforeRemoval?.();
      }
      if (!itsHome) remove();
      return child.exitCode;
    },
  };
}

/** Waits until a condition holds; throws after the deadline. For tests, never for the product. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  deadlineMs = 60_000,
): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited in vain until ${what}`);
    // Many a condition reads all of `/proc`.
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
