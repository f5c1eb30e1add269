import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { CheckedDefinition } from './agent-definition.ts';
import type { CheckedAgents } from './agents-setting.ts';
import { withVariables } from './operator-variables.ts';
import { isFlag, isSetting, keyOfVariable, SETTINGS, type SettingName, variableName } from './setting-table.ts';
import { settingValue } from './setting-values.ts';
import { SettingsError } from './settings-error.ts';
import { similar } from './similar.ts';

type CamelCase<Name extends string> = Name extends `${infer First}-${infer Rest}`
  ? `${First}${Capitalize<CamelCase<Rest>>}`
  : Name;

/** What a setting of each kind has as its value; undefined where it has no default. */
type ValueOf<Row> = Row extends { kind: 'integer' | 'number' }
  ? number
  : Row extends { kind: 'choice'; of: readonly (infer Choice)[] }
    ? Choice | WithoutDefault<Row>
    : Row extends { kind: 'text' | 'address' }
      ? string | WithoutDefault<Row>
      : Row extends { kind: 'toggle' }
        ? boolean
        : Row extends { kind: 'hosts' | 'origins' }
          ? string[]
          : Row extends { kind: 'aliases' }
            ? Record<string, string>
            : Record<string, CheckedDefinition>;

type WithoutDefault<Row> = Row extends { default: unknown } ? never : undefined;

/** The validated settings, each by its name in camel case. */
export type Settings = { [Name in SettingName as CamelCase<Name>]: ValueOf<(typeof SETTINGS)[Name]> };

export interface SettingSources {
  /** Flags as given, without the dashes; `config` names the file. */
  flags: Readonly<Record<string, string>>;
  /** The process environment. */
  environment: Readonly<Record<string, string | undefined>>;
}

/** Where the value of a setting comes from. */
export type SettingOrigin = 'flag' | 'variable' | 'file' | 'default';

/** A setting with its value and where that comes from. */
export interface TracedSetting {
  name: SettingName;
  value: unknown;
  from: SettingOrigin;
  /** What the operator wrote where a variable of the environment stands in the file; undefined elsewhere. */
  reference?: string;
}

/** The settings of a program, with the story of each. */
export interface TracedSettings {
  settings: Settings;
  /** In the order of the table. */
  traced: TracedSetting[];
  /** The configuration file that was read; undefined without one. */
  file: string | undefined;
}

/** The file that is read when none is named. */
export function standardConfigFile(): string {
  return join(homedir(), '.config', 'isthmus', 'config.json');
}

/** The file that the operator names; undefined if none is named. */
export function namedConfigFile({ flags, environment }: SettingSources): string | undefined {
  return flags.config ?? environment[variableName('config')];
}

/**
 * Reads the settings of the program: flags before environment variables before the file before defaults.
 *
 * The file is the one that `--config` or `ISTHMUS_CONFIG` names, else `~/.config/isthmus/config.json` if it exists.
 *
 * @throws SettingsError
 */
export async function readSettings(sources: SettingSources): Promise<Settings> {
  return (await traceSettings(sources)).settings;
}

/**
 * The same, with where each value comes from.
 *
 * @throws SettingsError
 */
export async function traceSettings(sources: SettingSources): Promise<TracedSettings> {
  const { flags, environment } = sources;
  const variables: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(environment)) {
    const key = keyOfVariable(name);
    if (key !== undefined && key !== 'config' && value !== undefined) variables[key] = value;
  }
  const { config: _, ...givenFlags } = flags;
  const named = namedConfigFile(sources);
  const file = await readFile(named);
  const { $schema: __, ...written } = file ?? {};
  const { given, references } = withReferences(written, environment);
  const isOfAgents = given.agents !== undefined;
  const { settings, origins } = validate(
    [
      { origin: 'file', given, name: (key) => `"${key}" in the configuration file`, isStructured: true, references },
      { origin: 'variable', given: variables, name: variableName, others: ['config'] },
      { origin: 'flag', given: givenFlags, name: (key) => `--${key}`, others: ['config'] },
    ],
    // Its library is loaded where there are agents alone.
    isOfAgents ? (await import('./agents-setting.ts')).checkAgents : () => ({ value: {} }),
  );
  const traced = Object.keys(SETTINGS).map((key) => {
    const name = key as SettingName;
    const from = origins.get(name) ?? 'default';
    const reference = from === 'file' ? references.get(name) : undefined;
    const value = settings[camelCase(name) as keyof Settings];
    return { name, value, from, ...(reference === undefined ? {} : { reference }) };
  });
  return { settings, traced, file: file && (named ?? standardConfigFile()) };
}

/** @param named by the operator; another one need not be there */
async function readFile(named: string | undefined): Promise<Record<string, unknown> | undefined> {
  const path = named ?? standardConfigFile();
  if (named === undefined && !existsSync(path)) return undefined;
  const { readConfigFile } = await import('./config-file.ts');
  return readConfigFile(path, named !== undefined);
}

/** Puts the operator's variables into the texts of a file. Agents are left out: theirs are put in where an agent is defined. */
function withReferences(
  written: Readonly<Record<string, unknown>>,
  environment: SettingSources['environment'],
): { given: Record<string, unknown>; references: Map<string, string> } {
  const references = new Map<string, string>();
  const given: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(written)) {
    given[key] = key === 'agents' ? value : withinValue(value, `"${key}" in the configuration file`, environment);
    if (JSON.stringify(given[key]) !== JSON.stringify(value)) {
      references.set(key, typeof value === 'string' ? value : JSON.stringify(value));
    }
  }
  return { given, references };
}

/** A text, a list of texts, or an object with texts. */
function withinValue(value: unknown, path: string, environment: SettingSources['environment']): unknown {
  if (typeof value === 'string') return withVariables(value, path, environment);
  if (Array.isArray(value)) return value.map((item) => withinValue(item, path, environment));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withinValue(inner, path, environment)]));
}

/** One place that settings come from. */
export interface SettingSource {
  origin: SettingOrigin;
  given: Record<string, unknown>;
  /** What the source calls a setting, or a part of it: its path, with dots. */
  name: (path: string) => string;
  /** Whether it can hold more than text. */
  isStructured?: boolean;
  /** Other keys that it can have. */
  others?: readonly string[];
  /** What was written where a variable's value stands in a setting: an error shows that in its place. */
  references?: ReadonlyMap<string, string>;
}

/**
 * @param sources later ones win
 * @throws SettingsError
 */
export function validate(
  sources: readonly SettingSource[],
  checkAgents: (given: unknown) => CheckedAgents,
): { settings: Settings; origins: Map<string, SettingOrigin> } {
  const merged = new Map<string, { value: unknown; source: SettingSource }>();
  for (const source of sources) {
    const { given, name, others = [], isStructured = false } = source;
    for (const [key, value] of Object.entries(given)) {
      if (!isSetting(key)) {
        const meant = similar(key, [...Object.keys(SETTINGS), ...others]);
        throw unknownSetting(name(key), meant && name(meant));
      }
      if (!isFlag(key) && !isStructured) throw new SettingsError(`${name(key)} ${SETTINGS[key].help}.`);
      merged.set(key, { value, source });
    }
  }
  const settings = (Object.keys(SETTINGS) as SettingName[]).map((key) => {
    const { value, source } = merged.get(key) ?? {};
    const name = source?.name ?? (() => key);
    return [
      camelCase(key),
      key === 'agents' ? agentsValue(value, name, checkAgents) : plainValue(key, value, name, source),
    ];
  });
  return {
    settings: Object.fromEntries(settings) as Settings,
    origins: new Map([...merged].map(([key, { source }]) => [key, source.origin])),
  };
}

function plainValue(
  key: Exclude<SettingName, 'agents'>,
  value: unknown,
  name: SettingSource['name'],
  source: SettingSource | undefined,
): unknown {
  const checked = settingValue(key, value);
  if ('value' in checked) return checked.value;
  const shown = source?.references?.get(key) ?? value;
  throw new SettingsError(`${name(key)} ${checked.problem} (it is ${JSON.stringify(shown)}).`);
}

/** Its error shows no value: that may be a secret. */
function agentsValue(
  value: unknown,
  name: SettingSource['name'],
  checkAgents: (given: unknown) => CheckedAgents,
): unknown {
  const checked = checkAgents(value);
  if ('value' in checked) return checked.value;
  const problem = `${name(['agents', ...checked.path.map(String)].join('.'))} ${checked.problem}`;
  throw new SettingsError(problem.endsWith('?') ? problem : `${problem}.`);
}

export function unknownSetting(name: string, meant: string | undefined): SettingsError {
  return new SettingsError(`There is no setting ${name}.${meant ? ` Did you mean ${meant}?` : ''}`);
}

/** `max-processes` as `maxProcesses`. */
export function camelCase(key: string): string {
  return key.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
