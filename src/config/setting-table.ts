import { availableParallelism, totalmem } from 'node:os';

/** What an agent may do, from the least on. */
export const AGENT_LEVELS = ['read', 'edit', 'shell'] as const;

/** The longest wait of Node's timers, 24.8 days; a longer one fires at once. */
const LONGEST_SECONDS = Math.floor((2 ** 31 - 1) / 1000);
const LONGEST_MINUTES = Math.floor(LONGEST_SECONDS / 60);

/** What the value of a setting is, and between which bounds. */
type Kind =
  | { kind: 'integer' | 'number'; least: number; most: number; default: number }
  | { kind: 'choice'; of: readonly string[]; default?: string }
  /** Text that is not empty. */
  | { kind: 'text'; default?: string }
  /** An IP address, or a name. */
  | { kind: 'address'; default?: string }
  /** True or false; as a flag it takes no value. */
  | { kind: 'toggle' }
  /** Names of hosts without ports: text with commas between them, or a list. */
  | { kind: 'hosts' }
  /** Origins of web pages: text with commas between them, or a list. */
  | { kind: 'origins' }
  /** Names for models: text such as `gpt-5=claude-sonnet-5`, with commas between them, or an object. */
  | { kind: 'aliases' }
  /** Agents by their names: more than text, so neither a flag nor a variable. */
  | { kind: 'agents' };

/** One setting, as data. */
export type Setting = Kind & {
  /** Stands for the value in the help text; none for a toggle. */
  value?: string;
  help: string;
};

/**
 * Every setting, once. The key is the flag (`--max-processes`), the key in the configuration file, and, in upper case
 * with underscores, the environment variable (`ISTHMUS_MAX_PROCESSES`). It is data, so that the help text loads nothing else.
 */
export const SETTINGS = {
  port: {
    kind: 'integer',
    least: 0,
    most: 65_535,
    default: 3456,
    value: 'PORT',
    help: 'port to listen on; 0 picks a free one',
  },
  host: { kind: 'address', default: '127.0.0.1', value: 'ADDRESS', help: 'address to listen on' },
  'allowed-hosts': {
    kind: 'hosts',
    value: 'NAMES',
    help: 'other names that clients call it by, as from a container: gateway.team,host.docker.internal',
  },
  'allowed-origins': {
    kind: 'origins',
    value: 'ORIGINS',
    help: 'web pages that may use it, such as https://chat.example,vscode-webview://*; none unless told',
  },
  socket: {
    kind: 'text',
    value: 'PATH',
    help: 'Unix socket to listen on in place of address and port, for this user alone',
  },
  claude: { kind: 'text', value: 'PATH', help: 'the `claude` binary to run, instead of the bundled one' },
  'model-alias': {
    kind: 'aliases',
    value: 'NAME=MODEL',
    help: 'other names of models, with commas between them: gpt-5=claude-sonnet-5,gpt-5-mini=claude-haiku-4-5',
  },
  spares: {
    kind: 'integer',
    least: 0,
    most: 16,
    default: 2,
    value: 'N',
    help: 'processes spawned ahead for new conversations; four times as many while many begin',
  },
  reuse: {
    kind: 'choice',
    of: ['on', 'off'],
    default: 'on',
    value: 'on|off',
    help: 'whether a process takes another conversation of its caller; off uses documented inputs of Claude Code alone',
  },
  'max-processes': {
    kind: 'integer',
    least: 1,
    most: 1000,
    default: 24,
    value: 'N',
    help: 'processes at a time, spares included',
  },
  'max-memory-mb': {
    kind: 'integer',
    least: 200,
    most: 10_000_000,
    default: Math.max(1024, Math.round(totalmem() / 2 / 1024 / 1024)),
    value: 'MB',
    help: 'memory that all processes may hold together; half of the machine unless told',
  },
  'spawns-at-a-time': {
    kind: 'integer',
    least: 1,
    most: 64,
    default: availableParallelism(),
    value: 'N',
    help: 'processes that are spawned at a time',
  },
  'queue-length': {
    kind: 'integer',
    least: 0,
    most: 10_000,
    default: 64,
    value: 'N',
    help: 'requests that may wait for a process',
  },
  'queue-seconds': {
    kind: 'number',
    least: 0.001,
    most: LONGEST_SECONDS,
    default: 60,
    value: 'S',
    help: 'how long the queue may stand still',
  },
  'idle-minutes': {
    kind: 'number',
    least: 0.001,
    most: LONGEST_MINUTES,
    default: 60,
    value: 'MIN',
    help: 'how long a process waits for its conversation to go on',
  },
  'held-minutes': {
    kind: 'number',
    least: 0.001,
    most: LONGEST_MINUTES,
    default: 15,
    value: 'MIN',
    help: 'how long a process waits for tool results',
  },
  'keep-alive-seconds': {
    kind: 'number',
    least: 0.01,
    most: LONGEST_SECONDS,
    default: 15,
    value: 'S',
    help: 'silence after which a streaming answer pings',
  },
  'stall-minutes': {
    kind: 'number',
    least: 0.001,
    most: LONGEST_MINUTES,
    default: 15,
    value: 'MIN',
    help: 'silence of the model’s API after which a turn is given up',
  },
  retries: {
    kind: 'choice',
    of: ['client', 'gateway'],
    default: 'client',
    value: 'WHO',
    help: 'who tries again when the model’s API is busy or fails: client or gateway',
  },
  'store-days': {
    kind: 'number',
    least: 0.001,
    most: 36_500,
    default: 90,
    value: 'DAYS',
    help: 'how long what agents did is kept, for conversations that go on',
  },
  'store-mb': {
    kind: 'integer',
    least: 1,
    most: 1_000_000,
    default: 1024,
    value: 'MB',
    help: 'how much of it is kept at most',
  },
  'no-store': { kind: 'toggle', help: 'keep what agents did in memory alone, nothing on the disk' },
  'drain-seconds': {
    kind: 'number',
    least: 0,
    most: LONGEST_SECONDS,
    default: 30,
    value: 'S',
    help: 'how long turns under way may take to finish when Isthmus is stopped',
  },
  'log-level': {
    kind: 'choice',
    of: ['error', 'warn', 'info', 'debug'],
    default: 'info',
    value: 'LEVEL',
    help: 'what the log has: error, warn, info (each turn) or debug (the shape of each request, too)',
  },
  'log-format': {
    kind: 'choice',
    of: ['text', 'json'],
    default: 'text',
    value: 'text|json',
    help: 'log lines for people, or one JSON object each; what is on stdout and an error at the start stay text',
  },
  strict: { kind: 'toggle', help: 'refuse what would be ignored' },
  'agent-level': {
    kind: 'choice',
    of: AGENT_LEVELS,
    value: 'LEVEL',
    help: 'define an agent named `agent`: read, edit or shell says what it may do; see docs/agents.md',
  },
  workspace: { kind: 'text', value: 'DIR', help: 'the folder that this agent works in' },
  agents: {
    kind: 'agents',
    help: 'is no flag and no variable: define agents in the configuration file, {"agents": {"docs": {"level": "read", "workspace": "/work/docs"}}}, or one by --agent-level and --workspace',
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;

export function isSetting(name: string): name is SettingName {
  return Object.hasOwn(SETTINGS, name);
}

/** Whether a setting is a flag and a variable, too, and not alone a key of the configuration file. */
export function isFlag(name: string): boolean {
  return isSetting(name) && SETTINGS[name].kind !== 'agents';
}

/** The value of a setting that is not given, as the help text shows it; undefined if it has none. */
export function standardOf(name: SettingName): string | number | undefined {
  const row: Setting = SETTINGS[name];
  return 'default' in row ? row.default : undefined;
}

const VARIABLE_PREFIX = 'ISTHMUS_';

/** The name of a setting as an environment variable. */
export function variableName(key: string): string {
  return VARIABLE_PREFIX + key.toUpperCase().replaceAll('-', '_');
}

/** The key that an environment variable stands for, whether or not there is such a setting; undefined for a variable of others. */
export function keyOfVariable(name: string): string | undefined {
  return name.startsWith(VARIABLE_PREFIX)
    ? name.slice(VARIABLE_PREFIX.length).toLowerCase().replaceAll('_', '-')
    : undefined;
}
