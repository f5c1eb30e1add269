import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, homedir, totalmem } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { AGENT_LEVELS, agentDefinitions } from './agent-definition.ts';
import { similar } from './similar.ts';

/** A number, or text with a number; not `null`, a list or blank text. */
const numeric = z
  .union([z.number(), z.string().regex(/\S/).transform(Number)], 'must be a number')
  .pipe(z.number('must be a number'));
const number = (least: number, most: number) =>
  numeric.pipe(z.number().min(least, `must be at least ${least}`).max(most, `must be at most ${most}`));
const integer = (least: number, most: number) => number(least, most).pipe(z.int('must be a whole number'));
/** The longest wait of Node's timers, 24.8 days; a longer one fires at once. */
const LONGEST_SECONDS = Math.floor((2 ** 31 - 1) / 1000);
const seconds = (least: number) => number(least, LONGEST_SECONDS);
const minutes = (least: number) => number(least, Math.floor(LONGEST_SECONDS / 60));
/** Host names without ports: text with commas between them, or a list. */
const hostNames = z
  .union([z.string().transform((text) => text.split(',')), z.array(z.string())], 'must be host names')
  .transform((names) => names.map((name) => name.trim().toLowerCase()))
  .pipe(z.array(z.string().regex(/^[a-z0-9._-]+$/, 'must be host names without ports, with commas between them')))
  .default([]);
/** A setting that takes no value as a flag. */
const toggle = z.union([z.boolean(), z.stringbool()], { error: 'must be true or false' }).default(false);

interface Setting<Schema extends z.ZodType = z.ZodType> {
  schema: Schema;
  /** The placeholder of the value in the help text; empty for a flag that takes none, undefined for what is no flag. */
  value: string | undefined;
  help: string;
}

const setting = <Schema extends z.ZodType>(
  schema: Schema,
  value: string | undefined,
  help: string,
): Setting<Schema> => ({
  schema,
  value,
  help,
});

/**
 * Every setting, once. The key is the flag (`--max-processes`), the key in the configuration file, and, in upper case
 * with underscores, the environment variable (`ISTHMUS_MAX_PROCESSES`). What is more than text is a key of the file alone.
 */
export const SETTINGS = {
  port: setting(integer(0, 65_535).default(3456), 'PORT', 'port to listen on; 0 picks a free one'),
  host: setting(z.string().min(1, 'must not be empty').default('127.0.0.1'), 'ADDRESS', 'address to listen on'),
  'allowed-hosts': setting(
    hostNames,
    'NAMES',
    'other names that clients call it by, as from a container: gateway.team,host.docker.internal',
  ),
  claude: setting(
    z.string().min(1, 'must not be empty').optional(),
    'PATH',
    'the `claude` binary to run, instead of the bundled one',
  ),
  spares: setting(
    integer(0, 16).default(2),
    'N',
    'processes spawned ahead for new conversations; four times as many while many begin',
  ),
  reuse: setting(
    z.enum(['on', 'off'], 'must be on or off').default('on'),
    'on|off',
    'whether a process takes another conversation of its caller; off uses documented inputs of Claude Code alone',
  ),
  'max-processes': setting(integer(1, 1000).default(24), 'N', 'processes at a time, spares included'),
  'max-memory-mb': setting(
    integer(200, 10_000_000).default(Math.max(1024, Math.round(totalmem() / 2 / 1024 / 1024))),
    'MB',
    'memory that all processes may hold together; half of the machine unless told',
  ),
  'spawns-at-a-time': setting(
    integer(1, 64).default(availableParallelism()),
    'N',
    'processes that are spawned at a time',
  ),
  'queue-length': setting(integer(0, 10_000).default(64), 'N', 'requests that may wait for a process'),
  'queue-seconds': setting(seconds(0.001).default(60), 'S', 'how long the queue may stand still'),
  'idle-minutes': setting(minutes(0.001).default(60), 'MIN', 'how long a process waits for its conversation to go on'),
  'held-minutes': setting(minutes(0.001).default(15), 'MIN', 'how long a process waits for tool results'),
  'keep-alive-seconds': setting(seconds(0.01).default(15), 'S', 'silence after which a streaming answer pings'),
  'stall-minutes': setting(
    minutes(0.001).default(15),
    'MIN',
    'silence of the model’s API after which a turn is given up',
  ),
  retries: setting(
    z.enum(['client', 'gateway'], 'must be client or gateway').default('client'),
    'WHO',
    'who tries again when the model’s API is busy or fails: client or gateway',
  ),
  'store-days': setting(
    number(0.001, 36_500).default(90),
    'DAYS',
    'how long what agents did is kept, for conversations that go on',
  ),
  'store-mb': setting(integer(1, 1_000_000).default(1024), 'MB', 'how much of it is kept at most'),
  'no-store': setting(toggle, '', 'keep what agents did in memory alone, nothing on the disk'),
  strict: setting(toggle, '', 'refuse what would be ignored'),
  'agent-level': setting(
    z.enum(AGENT_LEVELS, 'must be read, edit or shell').optional(),
    'LEVEL',
    'define an agent named `agent`: read, edit or shell says what it may do; see docs/agents.md',
  ),
  workspace: setting(z.string().min(1, 'must not be empty').optional(), 'DIR', 'the folder that this agent works in'),
  agents: setting(
    agentDefinitions,
    undefined,
    'is no flag and no variable: define agents in the configuration file, {"agents": {"docs": {"level": "read", "workspace": "/work/docs"}}}, or one by --agent-level and --workspace',
  ),
} as const;

export type SettingName = keyof typeof SETTINGS;

type CamelCase<Name extends string> = Name extends `${infer First}-${infer Rest}`
  ? `${First}${Capitalize<CamelCase<Rest>>}`
  : Name;

/** The validated settings, each by its name in camel case. */
export type Settings = { [Name in SettingName as CamelCase<Name>]: z.output<(typeof SETTINGS)[Name]['schema']> };

export interface SettingSources {
  /** Flags as given, without the dashes; `config` names the file. */
  flags: Record<string, string>;
  /** Flags that are no settings: what a misspelt flag may stand for too. */
  otherFlags?: readonly string[];
  /** The process environment. */
  environment: Readonly<Record<string, string | undefined>>;
}

/** A setting that is unknown or has a bad value; the message is one line that says the cure. */
export class SettingsError extends Error {}

const ENVIRONMENT_PREFIX = 'ISTHMUS_';

/**
 * Reads the settings of the program: flags before environment variables before the file before defaults.
 *
 * The file is the one that `--config` or `ISTHMUS_CONFIG` names, else `~/.config/isthmus/config.json` if it exists.
 *
 * @throws SettingsError
 */
export function readSettings({ flags, environment, otherFlags = [] }: SettingSources): Settings {
  const fromEnvironment = Object.fromEntries(
    Object.entries(environment)
      .filter(([name, value]) => name.startsWith(ENVIRONMENT_PREFIX) && value !== undefined)
      .map(([name, value]) => [name.slice(ENVIRONMENT_PREFIX.length).toLowerCase().replaceAll('_', '-'), value]),
  );
  const { config: flagFile, ...givenFlags } = flags;
  const { config: environmentFile, ...givenVariables } = fromEnvironment;
  const file = flagFile ?? environmentFile;
  return validate([
    { given: readFile(file), name: (key) => `"${key}" in the configuration file`, isStructured: true },
    { given: givenVariables, name: variableName, others: ['config'] },
    { given: givenFlags, name: (key) => `--${key}`, others: ['config', ...otherFlags] },
  ]);
}

/**
 * Validates settings that a program gives, by their names in camel case; an undefined one has its default.
 *
 * @throws SettingsError
 */
export function checkSettings(given: Readonly<Record<string, unknown>>): Settings {
  const keys = new Map(Object.keys(SETTINGS).map((key) => [camelCase(key), key]));
  const byKey: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    const key = keys.get(name);
    if (key === undefined) throw unknownSetting(name, similar(name, [...keys.keys()]));
    if (value !== undefined) byKey[key] = value;
  }
  return validate([
    { given: byKey, name: (path) => path.replace(/^[^.]*/, (key) => camelCase(key)), isStructured: true },
  ]);
}

interface SettingSource {
  given: Record<string, unknown>;
  /** What the source calls a setting, or a part of it: its path, with dots. */
  name: (path: string) => string;
  /** Whether it can hold more than text. */
  isStructured?: boolean;
  /** Other keys that it can have. */
  others?: readonly string[];
}

/** @param sources later ones win */
function validate(sources: readonly SettingSource[]): Settings {
  const merged: Record<string, { value: unknown; name: SettingSource['name'] }> = {};
  for (const { given, name, others = [], isStructured = false } of sources) {
    for (const [key, value] of Object.entries(given)) {
      if (!isSetting(key)) {
        const meant = similar(key, [...Object.keys(SETTINGS), ...others]);
        throw unknownSetting(name(key), meant && name(meant));
      }
      if (!isFlag(key) && !isStructured) throw new SettingsError(`${name(key)} ${SETTINGS[key].help}.`);
      merged[key] = { value, name };
    }
  }
  const settings = Object.entries(SETTINGS).map(([key, { schema }]) => {
    const { value, name = () => key } = merged[key] ?? {};
    const result = schema.safeParse(value);
    if (!result.success) throw new SettingsError(problemOf(key, { value, name, error: result.error }));
    return [camelCase(key), result.data];
  });
  return Object.fromEntries(settings) as Settings;
}

/** One sentence. It shows no part of a setting that is more than text: that may be a secret. */
function problemOf(
  key: string,
  { value, name, error }: { value: unknown; name: SettingSource['name']; error: z.ZodError },
): string {
  const [first] = error.issues;
  if (isFlag(key)) return `${name(key)} ${first?.message} (it is ${JSON.stringify(value)}).`;
  // A misspelt key first: else the right one is said to be missing.
  const { path, message } = error.issues.find(({ code }) => code === 'unrecognized_keys') ?? first ?? { path: [] };
  const problem = `${name([key, ...path].join('.'))} ${message}`;
  return problem.endsWith('?') ? problem : `${problem}.`;
}

export function isSetting(name: string): name is SettingName {
  return Object.hasOwn(SETTINGS, name);
}

/** Whether a setting is a flag and a variable, too, and not alone a key of the configuration file. */
export function isFlag(name: string): boolean {
  return isSetting(name) && SETTINGS[name].value !== undefined;
}

function unknownSetting(name: string, meant: string | undefined): SettingsError {
  return new SettingsError(`There is no setting ${name}.${meant ? ` Did you mean ${meant}?` : ''}`);
}

/** The value of a setting that is not given; undefined if it has none. */
export function standardOf(key: SettingName): z.output<(typeof SETTINGS)[SettingName]['schema']> {
  return SETTINGS[key].schema.safeParse(undefined).data;
}

/** The name of a setting as an environment variable. */
export function variableName(key: string): string {
  return ENVIRONMENT_PREFIX + key.toUpperCase().replaceAll('-', '_');
}

function camelCase(key: string): string {
  return key.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function readFile(chosen: string | undefined): Record<string, unknown> {
  const path = chosen ?? join(homedir(), '.config', 'isthmus', 'config.json');
  if (chosen === undefined && !existsSync(path)) return {};
  let value: unknown;
  try {
    // Some editors write a byte order mark, which JSON does not have.
    value = JSON.parse(readFileSync(path, 'utf8').replace(/^\uFEFF/, ''));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new SettingsError(`There is no configuration file ${path}. Name one that exists: --config FILE.`);
    }
    throw new SettingsError(
      `The configuration file ${path} cannot be read as JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new SettingsError(`The configuration file ${path} must hold a JSON object, for example {"port": 3456}.`);
  }
  return value as Record<string, unknown>;
}
