import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { callableUrl } from '../access/callable-url.ts';
import { newGatewayId } from '../access/loop-guard.ts';
import { callableNames, isOwnAddress } from '../access/own-address.ts';
import { Agents } from '../agents/agents.ts';
import { overlapWarnings } from '../agents/workspaces.ts';
import { within } from '../async/within.ts';
import type { AgentDefinition } from '../config/agent-definition.ts';
import { checkSettings } from '../config/check-settings.ts';
import type { Settings } from '../config/settings.ts';
import { stateFolder } from '../config/state-folder.ts';
import { anthropicMessages } from '../dialects/anthropic-messages/anthropic-messages.ts';
import type { Dialects } from '../dialects/dialect.ts';
import { openAiChat } from '../dialects/openai-chat/openai-chat.ts';
import { openAiResponses } from '../dialects/openai-responses/openai-responses.ts';
import { ClaudeEngine } from '../engine/claude-engine.ts';
import { buildEnvironment, configurationFolder } from '../engine/environment/environment.ts';
import { findExecutable, isExecutable } from '../engine/environment/executable.ts';
import { passesBeta } from '../engine/environment/providers.ts';
import { removeLeftovers } from '../engine/files/leftovers.ts';
import { createRunDirectory, type RunDirectory } from '../engine/files/run-directory.ts';
import { SessionFiles } from '../engine/files/session-files.ts';
import { Spawner } from '../engine/process/spawner.ts';
import { Gateway } from '../gateway/gateway.ts';
import { createApp } from '../http/app.ts';
import { type Listener, listen } from '../http/listen.ts';
import { KnownLimits } from '../limits/known-limits.ts';
import { KnownModels } from '../models/known-models.ts';
import type { AgentLevel } from '../spec/agent.ts';
import type { Account, Engine, Introduction } from '../spec/engine.ts';
import type { ExpansionStore } from '../spec/expansion-store.ts';
import { failureOf, howItEnded } from '../spec/failures.ts';
import type { ModelListing } from '../spec/model-listing.ts';
import { atLeast, type Log } from '../telemetry/log.ts';
import { spareLog } from '../telemetry/spare-log.ts';
import { turnLog } from '../telemetry/turn-log.ts';
import { BootError } from './boot-error.ts';
import { checkBaseUrl, checkGatewaySwitch, checkHome } from './check-surroundings.ts';
import { describeCredential } from './credential.ts';
import { agentsOf, checkAgainstModels, checkCommands, withoutWorkspaces } from './own-agents.ts';
import { ownConfiguration, ownConfigurationFolder } from './own-configuration.ts';
import { endpointOf, endpointProblem } from './own-endpoint.ts';
import { ownStore } from './own-store.ts';
import { ownVersion } from './own-version.ts';
import { SlowSpawn } from './slow-spawn.ts';
import { readUserSettings, type UserSettings, unloadedProblem } from './user-settings.ts';
import { warningsOf } from './warnings.ts';
import { WorkspaceSigns } from './workspace-signs.ts';

/** The least time that a process being spawned gets at the end, in milliseconds. */
const LEAST_GRACE_MS = 2_000;

/** The client protocols of a gateway. */
const DIALECTS: Dialects = [anthropicMessages, openAiChat, openAiResponses];

/** The options of a gateway; each setting has the default of `isthmus serve`. */
export interface GatewayOptions extends Omit<GivenSettings, 'agents' | 'logFormat'> {
  /** Agents by their names: what the SDK's own tools may do, and for whom. See docs/agents.md. */
  agents?: Readonly<Record<string, AgentDefinition>> | undefined;
  /** The variables for credentials and proxies, and those that agents name; by default those of this process. */
  environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** The file that the options come from, if there is one: no agent may reach it. */
  configFile?: string | undefined;
  /** Hears of each turn, and of trouble, in one line of fields without content; `logLevel` says of how much. Off by default. */
  log?: Log | undefined;
}

type GivenSettings = { [Name in keyof Settings]?: Settings[Name] | undefined };

/** A gateway that takes requests. */
export interface RunningGateway {
  /** What a client of this machine calls; over the Unix socket, where there is one. */
  url: string;
  host: string;
  /** 0 where it listens on a Unix socket. */
  port: number;
  /** The Unix socket that it listens on, in place of host and port. */
  socket?: string;
  /** The host names that clients may call it by. */
  names: string[];
  /** Claude Code's own mode, by the credential. */
  mode: 'bare' | 'full';
  /** The name of the credential that pays, never its value. */
  credential: string;
  /** The `claude` binary, why this one, and its version if known. */
  executable: { path: string; why: string; version?: string };
  agents: RunningAgent[];
  /** What the operator should know; one sentence each. */
  warnings: string[];
  /** How many turns and token counts are under way. */
  openRequests(): number;
  /**
   * Takes no new turns, lets those under way finish until the deadline, then ends every process and leaves no file. Calls that
   * wait for results of tools end at once: the next request of such a conversation is replayed.
   *
   * @param deadlineMs by default `drainSeconds`
   */
  stop(deadlineMs?: number): Promise<void>;
  /** Ends every process and removes every file without waiting: for an `exit` handler of your program. */
  abandon(): void;
}

/** An agent that the gateway runs for requests that name it. */
export interface RunningAgent {
  name: string;
  level: AgentLevel;
  workspace: string;
  /** Whether a client must bring the agent's key. */
  hasKey: boolean;
}

/**
 * Makes a gateway; resolves when it takes requests. It touches neither signals nor the environment of this process. Any number
 * of gateways run side by side.
 *
 * @example
 * const gateway = await createGateway({ port: 0, environment: { ...process.env, ANTHROPIC_API_KEY: key } });
 * console.log(gateway.url);
 * await gateway.stop();
 *
 * @throws SettingsError for an option that is unknown or has a bad value
 * @throws BootError if anything else keeps it from booting
 */
export async function createGateway(options: GatewayOptions = {}): Promise<RunningGateway> {
  const {
    environment: variablesOfOperator = process.env,
    log: givenLog = () => undefined,
    configFile,
    ...given
  } = options;
  const settings = checkSettings(given);
  const log = atLeast(settings.logLevel, givenLog);
  checkBaseUrl(variablesOfOperator.ANTHROPIC_BASE_URL);
  checkGatewaySwitch(variablesOfOperator);
  const executable = orBootError(() => findExecutable(settings.claude, { searchPath: variablesOfOperator.PATH }));
  const defined = agentsOf(settings, variablesOfOperator, executable.path, configFile);
  const operator = withoutWorkspaces(variablesOfOperator, defined);
  const endpoint = endpointOf(settings);
  // Whoever calls over a socket makes a name up.
  const host = 'socket' in endpoint ? 'localhost' : endpoint.host;
  const id = newGatewayId();
  // First, so that a busy port is told at once, and early clients get a 503.
  const listener = await listen(DIALECTS, endpoint).catch((error: NodeJS.ErrnoException) => {
    throw new BootError(endpointProblem(error, endpoint));
  });
  const undo: Array<() => unknown> = [() => endListening(listener)];
  try {
    const directory = runDirectory();
    undo.push(() => directory.remove());
    const isOwn = (url: string) => !('socket' in endpoint) && isOwnAddress(url, host, listener.port);
    const userSettings = readUserSettings(operator, isOwn);
    const environment = buildEnvironment({
      operator,
      id,
      isOwnAddress: isOwn,
      hasKeyHelper: userSettings.commands.apiKeyHelper !== undefined,
    });
    const { mode, isLogin, variables } = environment;
    if (isLogin) checkHome(operator, process.env);
    await checkCommands(defined, variables, directory);
    const configuration = isLogin ? undefined : ownConfiguration(operator, join(directory.path, 'configuration'));
    const configurations = [configurationFolder(variables), ownConfigurationFolder(operator)].filter(
      (folder) => folder !== undefined,
    );
    if (configuration) variables.CLAUDE_CONFIG_DIR = configuration.folder;
    const sessions = new SessionFiles(configurationFolder(variables));
    undo.push(() => sessions.removeAll(directory.work));
    const signs = new WorkspaceSigns(stateFolder(operator) ?? directory.path);
    const removeFiles = () => {
      listener.removeSocket();
      signs.remove();
      sessions.removeAll(directory.work);
      directory.remove();
    };
    const known = new Agents(defined);
    const agents = new Map(defined.map(({ agent }) => [agent.name, agent]));
    const spawner = new Spawner(operator.PATH);
    const limits = new KnownLimits();
    const models = new KnownModels(settings.modelAlias);
    const engine = new ClaudeEngine({
      executable,
      environment,
      directory,
      spawner,
      credentialCommands: userSettings.commands,
      stallMs: settings.stallMinutes * 60_000,
      retries: settings.retries,
      // What it learns late is nothing that anybody waits for.
      log: (event, fields) => log(event, fields, 'warn'),
      onLimits: (heard) => limits.hear(heard),
      onModel: (heard) => models.hear(heard),
      agents,
      onServers: (agent, failing) => known.hear(agent, failing),
      isShared: (workspace) => signs.isShared(workspace),
    });
    undo.push(() => {
      engine.close();
      return engine.allGone();
    });
    const slowSpawn = new SlowSpawn(variables, log);
    const [{ account, models: offered }] = await Promise.all([
      introduction(engine, executable.path, settings.claude !== undefined).finally(() => slowSpawn.end()),
      removeLeftovers(configurations),
    ]);
    models.offer(offered);
    checkAgainstModels(defined, models);
    undo.push(() => signs.remove());
    const sharing = await signs.show(defined.map(({ agent }) => agent));
    const credential = credentialOf(account, variables, userSettings, executable.path);
    // What a killed gateway's commands have left.
    await Promise.all([...agents.keys()].map((name) => engine.tidy(name)));
    const store = agents.size > 0 ? ownStore(settings, operator, log) : undefined;
    undo.push(() => store?.close());
    const gateway = new Gateway(
      engine,
      {
        // In full mode a spare must forget what silences it.
        spares: mode === 'bare' || (settings.reuse === 'on' && engine.reuse === 'on') ? settings.spares : 0,
        processes: settings.maxProcesses,
        memoryBytes: settings.maxMemoryMb * 1024 * 1024,
        spawnsAtATime: settings.spawnsAtATime,
        queueLength: settings.queueLength,
        queueDeadlineMs: settings.queueSeconds * 1000,
        idleMs: settings.idleMinutes * 60_000,
        heldMs: settings.heldMinutes * 60_000,
        reuses: settings.reuse === 'on',
      },
      spareLog(log),
      store && { agents, store, waitMs: settings.queueSeconds * 1000 },
    );
    listener.serve(
      createApp({
        gateway,
        dialects: DIALECTS,
        id,
        bindHost: host,
        allowedHosts: settings.allowedHosts,
        allowedOrigins: settings.allowedOrigins,
        keepAliveMs: settings.keepAliveSeconds * 1000,
        strict: settings.strict,
        isBinaryThere: () => isExecutable(executable.path),
        aliasOf: (name) => (Object.hasOwn(settings.modelAlias, name) ? settings.modelAlias[name] : undefined),
        passesBeta: (value) => passesBeta(account.apiProvider, value),
        models,
        agents: known,
        identity: { version: ownVersion(), mode, credential, startedAt: new Date().toISOString() },
        limits,
        observers: [turnLog(log)],
        log,
        logsShapes: settings.logLevel === 'debug',
      }),
    );
    // Opens it: what that takes delays neither the boot nor the first turn.
    void store?.find([]);
    let isOpen = true;
    void prepareInTurn(engine, offered, () => isOpen);
    let stopped: Promise<void> | undefined;
    return {
      url: 'socket' in endpoint ? `http://${host}` : callableUrl({ host, port: listener.port }),
      host,
      port: listener.port,
      ...('socket' in endpoint && { socket: endpoint.socket }),
      names: callableNames(host, settings.allowedHosts),
      mode,
      credential,
      executable,
      agents: defined.map(({ agent: { name, level, workspace }, access }) => ({
        name,
        level,
        workspace,
        hasKey: access.keyDigest !== undefined,
      })),
      warnings: [
        ...warningsOf({
          ofClient: environment.ofClient,
          configuration,
          userSettings,
          slowSpawn,
          ofLogin: isLogin ? variables : undefined,
          host,
          spawner,
        }),
        ...overlapWarnings([...agents.values()]),
        ...sharing,
      ],
      openRequests: () => gateway.openRequests,
      stop(deadlineMs = settings.drainSeconds * 1000) {
        isOpen = false;
        stopped ??= stop({ listener, gateway, engine, store, removeFiles }, deadlineMs);
        return stopped;
      },
      abandon() {
        isOpen = false;
        engine.close();
        gateway.endAll();
        engine.abandonAll();
        removeFiles();
      },
    };
  } catch (error) {
    for (const step of undo.reverse()) await step();
    throw error;
  }
}

/** What a running gateway is made of. */
interface Parts {
  listener: Listener;
  gateway: Gateway;
  engine: Engine;
  /** Where there are agents. */
  store: ExpansionStore | undefined;
  removeFiles: () => void;
}

async function stop({ listener, gateway, engine, store, removeFiles }: Parts, deadlineMs: number): Promise<void> {
  engine.close();
  const until = performance.now() + deadlineMs;
  // New connections are answered meanwhile: who asks there is told that it takes no turns any more.
  await gateway.drain(deadlineMs);
  const closed = listener.close();
  // Lets a spare finish spawning before it ends: a kill before that would leave a lock in the user's configuration.
  await within(engine.allGone(), Math.max(LEAST_GRACE_MS, until - performance.now())).catch(() => engine.endAll());
  await listener.finish(until - performance.now());
  await closed;
  await engine.allGone();
  await store?.close();
  removeFiles();
}

/** So that few first turns wait. One model at a time: requests go first. */
async function prepareInTurn(engine: Engine, models: readonly ModelListing[], goesOn: () => boolean): Promise<void> {
  for (const { id } of models) if (goesOn()) await engine.prepare({ model: id });
}

async function endListening(listener: Listener): Promise<void> {
  const closed = listener.close();
  await listener.finish(0);
  await closed;
}

function runDirectory(): RunDirectory {
  try {
    return createRunDirectory();
  } catch (error) {
    throw new BootError(
      `The temporary directory ${tmpdir()} cannot be used: ${(error as Error).message}. Set TMPDIR to a directory that exists and can be written to, such as /tmp.`,
    );
  }
}

async function introduction(engine: Engine, path: string, isChosen: boolean): Promise<Introduction> {
  return await engine.introduction().catch((error: unknown) => {
    const { process: end, message } = failureOf(error);
    const how = end ? howItEnded(end) : message;
    const words = end && inOneLine(end.stderr);
    throw new BootError(
      [
        `The \`claude\` binary ${path} did not start (${how}${words ? `: ${words}` : ''}).`,
        `See that \`${path} --version\` says Claude Code${isChosen ? ', or leave --claude out to use the bundled one' : ''}.`,
      ].join(' '),
    );
  });
}

/** What says the most may stand anywhere in it: above a stack, or below a line of the source. */
function inOneLine(words: string): string {
  return words
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join(' / ');
}

function credentialOf(
  account: Account,
  variables: Record<string, string>,
  userSettings: UserSettings,
  claude: string,
): string {
  const credential = describeCredential(account, variables);
  if (credential === undefined) {
    throw new BootError(
      `No credential found. ${
        unloadedProblem(userSettings) ??
        `Set ANTHROPIC_API_KEY, ANTHROPIC_AUTH_TOKEN, CLAUDE_CODE_OAUTH_TOKEN or one of CLAUDE_CODE_USE_BEDROCK, CLAUDE_CODE_USE_VERTEX, CLAUDE_CODE_USE_FOUNDRY, or sign in with \`${claude} auth login\`; \`isthmus demo\` needs none.`
      }`,
    );
  }
  return credential;
}

function orBootError<Value>(produce: () => Value): Value {
  try {
    return produce();
  } catch (error) {
    throw new BootError(error instanceof Error ? error.message : String(error));
  }
}
