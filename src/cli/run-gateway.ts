import { createRequire } from 'node:module';
import { isOwnAddress } from '../access/own-address.ts';
import { isLoopback } from '../access/request-guard.ts';
import { within } from '../async/within.ts';
import type { Settings } from '../config/settings.ts';
import { anthropicMessages } from '../dialects/anthropic-messages/anthropic-messages.ts';
import { ClaudeEngine } from '../engine/claude-engine.ts';
import { buildEnvironment, type Mode } from '../engine/process/environment.ts';
import { type ClaudeExecutable, findExecutable, sdkVersions, TESTED } from '../engine/process/executable.ts';
import { createRunDirectory } from '../engine/process/run-directory.ts';
import { Spawner } from '../engine/process/spawner.ts';
import { Gateway } from '../gateway/gateway.ts';
import { createApp } from '../http/app.ts';
import { listen } from '../http/listen.ts';
import type { Account, Engine, Introduction } from '../spec/engine.ts';
import type { Log } from '../telemetry/log.ts';
import { turnLog } from '../telemetry/turn-log.ts';
import { describeCredential } from './credential.ts';

/** What a process that is just starting gets at least at the end, in milliseconds. */
const LEAST_GRACE_MS = 2_000;

/** Something that keeps the gateway from starting; the message is one line that says the cure. */
export class BootError extends Error {}

export interface RunningGateway {
  url: string;
  host: string;
  port: number;
  mode: Mode;
  credential: string;
  executable: ClaudeExecutable;
  warnings: string[];
  /** Lets turns under way finish, for so many milliseconds at most, then leaves nothing behind. */
  stop(deadlineMs: number): Promise<void>;
}

/** Isthmus's own version. */
export function ownVersion(): string {
  return createRequire(import.meta.url)('isthmus-gateway/package.json').version;
}

/**
 * Starts everything, in the order in which it can fail. Whatever ends this process, but for a signal that nobody listens
 * to, its children and files go with it.
 *
 * @param operator the environment that credentials come from
 * @throws BootError
 */
export async function runGateway(settings: Settings, operator: NodeJS.ProcessEnv, log: Log): Promise<RunningGateway> {
  const { host, port } = settings;
  const executable = orBootError(() => findExecutable(settings.claude));
  const directory = createRunDirectory();
  try {
    const environment = buildEnvironment({
      operator,
      isOwnAddress: (url) => isOwnAddress(url, host, port),
    });
    const spawner = new Spawner(operator.PATH);
    const engine = new ClaudeEngine({
      executable,
      environment,
      directory,
      spawner,
      stallMs: settings['stall-minutes'] * 60_000,
      retries: settings.retries,
    });
    const { account, models } = await introduction(engine, executable);
    const credential = credentialOf(account, environment.variables);
    const gateway = new Gateway(engine, {
      spares: settings.spares,
      processes: settings['max-processes'],
      memoryBytes: settings['max-memory-mb'] * 1024 * 1024,
      spawnsAtATime: settings['starts-at-a-time'],
      queueLength: settings['queue-length'],
      queueDeadlineMs: settings['queue-seconds'] * 1000,
      idleMs: settings['idle-minutes'] * 60_000,
      heldMs: settings['held-minutes'] * 60_000,
    });
    const app = createApp({
      gateway,
      dialects: [anthropicMessages],
      bindHost: host,
      keepAliveMs: settings['keep-alive-seconds'] * 1000,
      strict: settings.strict,
      models,
      identity: { version: ownVersion(), mode: environment.mode, credential },
      observers: [turnLog(log)],
      log,
    });
    const listener = await listen(app, host, port).catch((error: NodeJS.ErrnoException) => {
      gateway.endAll();
      throw new BootError(listenProblem(error, host, port));
    });
    process.once('exit', () => {
      gateway.endAll();
      engine.abandonAll();
      directory.remove();
    });
    return {
      url: `http://${host.includes(':') ? `[${host}]` : host}:${listener.port}`,
      host,
      port: listener.port,
      mode: environment.mode,
      credential,
      executable,
      warnings: warnings(environment.droppedBaseUrl, host, spawner),
      async stop(deadlineMs) {
        const closed = listener.close();
        const until = performance.now() + deadlineMs;
        await gateway.drain(deadlineMs);
        // A spare that is starting ends when it has started: killed before, it would leave a lock in the user's configuration.
        await within(engine.allGone(), Math.max(LEAST_GRACE_MS, until - performance.now())).catch(() =>
          engine.endAll(),
        );
        await listener.finish(until - performance.now());
        await closed;
        await engine.allGone();
        directory.remove();
      },
    };
  } catch (error) {
    directory.remove();
    throw error;
  }
}

async function introduction(engine: Engine, executable: ClaudeExecutable): Promise<Introduction> {
  return await engine.introduction().catch((error: unknown) => {
    throw new BootError(
      `The \`claude\` binary ${executable.path} did not start: ${error instanceof Error ? error.message : String(error)}`,
    );
  });
}

function credentialOf(account: Account, variables: Record<string, string>): string {
  const credential = describeCredential(account, variables);
  if (credential === undefined) {
    throw new BootError(
      'No credential found. Set ANTHROPIC_API_KEY, ANTHROPIC_AUTH_TOKEN, CLAUDE_CODE_OAUTH_TOKEN or one of CLAUDE_CODE_USE_BEDROCK, CLAUDE_CODE_USE_VERTEX, CLAUDE_CODE_USE_FOUNDRY, or run `claude login`; `isthmus demo` needs none.',
    );
  }
  return credential;
}

function listenProblem(error: NodeJS.ErrnoException, host: string, port: number): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `Port ${port} on ${host} is in use. Stop what listens there, or choose another port: --port ${port + 1}.`;
    case 'EACCES':
      return `Port ${port} needs rights that this user does not have. Choose one above 1023: --port 3456.`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `This machine has no address ${host}. Choose one that it has: --host 127.0.0.1.`;
    default:
      return `Cannot listen on ${host}:${port}: ${error.message}`;
  }
}

function warnings(droppedBaseUrl: boolean, host: string, spawner: Spawner): string[] {
  const found: string[] = [];
  if (droppedBaseUrl) found.push('ANTHROPIC_BASE_URL points at Isthmus itself and is not passed on.');
  if (!isLoopback(host))
    found.push(`Everyone who can reach ${host} can use your credential: there is no client key yet.`);
  const { sdk, claudeCode } = sdkVersions();
  if (sdk !== TESTED.sdk || (claudeCode ?? TESTED.claudeCode) !== TESTED.claudeCode) {
    found.push(`Agent SDK ${sdk} is not the version that Isthmus was tested with (${TESTED.sdk}).`);
  }
  if (process.platform === 'linux' && !spawner.tiesLives) {
    found.push(
      'setpriv (package util-linux) is missing: a killed gateway may leave processes behind for some seconds.',
    );
  }
  return found;
}

function orBootError<Value>(produce: () => Value): Value {
  try {
    return produce();
  } catch (error) {
    throw new BootError(error instanceof Error ? error.message : String(error));
  }
}
