import { homedir } from 'node:os';
import { join } from 'node:path';
import type { z } from 'zod';
import { readConfigFile } from './config-file.ts';
import { withVariables } from './operator-variables.ts';
import { type SettingValue, schemaOf } from './setting-schemas.ts';
import { isFlag, isSetting, keyOfVariable, SETTINGS, type SettingName, variableName } from './setting-table.ts';
import { SettingsError } from './settings-error.ts';
import { similar } from './similar.ts';

type CamelCase<Name extends string> = Name extends `${infer First}-${infer Rest}`
  ? `${First}${Capitalize<CamelCase<Rest>>}`
  : Name;

/** The validated settings, each by its name in camel case. */
export type Settings = { [Name in SettingName as CamelCase<Name>]: SettingValue<Name> };

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
export function readSettings(sources: SettingSources): Settings {
  return traceSettings(sources).settings;
}

/**
 * The same, with where each value comes from.
 *
 * @throws SettingsError
 */
export function traceSettings(sources: SettingSources): TracedSettings {
  const { flags, environment } = sources;
  const variables: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(environment)) {
    const key = keyOfVariable(name);
    if (key !== undefined && key !== 'config' && value !== undefined) variables[key] = value;
  }
  const { config: _, ...givenFlags } = flags;
  const named = namedConfigFile(sources);
  const file = readConfigFile(named ?? standardConfigFile(), named !== undefined);
  const { $schema: __, ...written } = file ?? {};
  const { given, references } = withReferences(written, environment);
  const { settings, origins } = validate([
    { origin: 'file', given, name: (key) => `"${key}" in the configuration file`, isStructured: true },
    { origin: 'variable', given: variables, name: variableName, others: ['config'] },
    { origin: 'flag', given: givenFlags, name: (key) => `--${key}`, others: ['config'] },
  ]);
  const traced = Object.keys(SETTINGS).map((key) => {
    const name = key as SettingName;
    const from = origins.get(name) ?? 'default';
    const reference = from === 'file' ? references.get(name) : undefined;
    const value = settings[camelCase(name) as keyof Settings];
    return { name, value, from, ...(reference === undefined ? {} : { reference }) };
  });
  return { settings, traced, file: file && (named ?? standardConfigFile()) };
}

/** Puts the operator's variables into the texts of a file. Agents are left out: theirs are put in where an agent is defined. */
function withReferences(
  written: Readonly<Record<string, unknown>>,
  environment: SettingSources['environment'],
): { given: Record<string, unknown>; references: Map<string, string> } {
  const references = new Map<string, string>();
  const given = Object.entries(written).map(([key, value]) => {
    if (typeof value !== 'string') return [key, value];
    const resolved = withVariables(value, `"${key}" in the configuration file`, environment);
    if (resolved !== value) references.set(key, value);
    return [key, resolved];
  });
  return { given: Object.fromEntries(given), references };
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
  const name = (path: string) => path.replace(/^[^.]*/, (key) => camelCase(key));
  return validate([{ origin: 'file', given: byKey, name, isStructured: true }]).settings;
}

interface SettingSource {
  origin: SettingOrigin;
  given: Record<string, unknown>;
  /** What the source calls a setting, or a part of it: its path, with dots. */
  name: (path: string) => string;
  /** Whether it can hold more than text. */
  isStructured?: boolean;
  /** Other keys that it can have. */
  others?: readonly string[];
}

/** @param sources later ones win */
function validate(sources: readonly SettingSource[]): { settings: Settings; origins: Map<string, SettingOrigin> } {
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
  const settings = Object.keys(SETTINGS).map((key) => {
    const { value, source } = merged.get(key) ?? {};
    const result = schemaOf(key as SettingName).safeParse(value);
    if (!result.success) {
      throw new SettingsError(problemOf(key, { value, name: source?.name ?? (() => key), error: result.error }));
    }
    return [camelCase(key), result.data];
  });
  return {
    settings: Object.fromEntries(settings) as Settings,
    origins: new Map([...merged].map(([key, { source }]) => [key, source.origin])),
  };
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

function unknownSetting(name: string, meant: string | undefined): SettingsError {
  return new SettingsError(`There is no setting ${name}.${meant ? ` Did you mean ${meant}?` : ''}`);
}

function camelCase(key: string): string {
  return key.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
