import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { configurationFolder, steers, variablesOfClient } from '../engine/environment/environment.ts';
import { CLIENT_KEY } from '../spec/client-key.ts';
import { leadsTo } from './api-address.ts';
import { type Finding, findingsOf, type Surroundings, type Variables } from './finding.ts';

/** Whose settings of Claude Code a file has. */
export type Owner = 'user' | 'project' | 'administrator';

/** What a look at a settings file of Claude Code has shown. */
export interface SeenSettings {
  path: string;
  owner: Owner;
  /** The names in its `env` block; undefined if it is no JSON object. Without those that point it at Isthmus. */
  names: string[] | undefined;
  /** Where it points Claude Code. It is compared, and not shown. */
  baseUrl?: string;
}

const { ok, note, warning } = findingsOf('claude settings');

/** Where an administrator's settings lie. */
const MANAGED: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  darwin: '/Library/Application Support/ClaudeCode',
  linux: '/etc/claude-code',
  win32: 'C:\\Program Files\\ClaudeCode',
};

/** What the `env` blocks of Claude Code's settings steer; of no value more than its name. */
export function claudeSettingsFindings(seen: readonly SeenSettings[], operator: Variables): Finding[] {
  const findings = seen.flatMap(({ path, owner, names }): Finding[] => {
    if (names === undefined)
      return [warning(`${path} is not JSON: Claude Code ignores or refuses it.`, 'Mend the file.')];
    const steering = names.filter(steers);
    if (steering.length === 0) return [];
    const sets = `${path} sets ${steering.join(', ')} in its env block`;
    if (owner === 'user') {
      const missing = steering.filter((name) => !operator[name]);
      const [those, they] = missing.length === 1 ? ['that variable', 'it is'] : ['those variables', 'they are'];
      if (missing.length === 0) return [note(`${sets}. Isthmus does not load it, and has the same variables.`)];
      return [
        warning(
          `${sets}, which Isthmus does not load.`,
          `Put ${those} into the environment of Isthmus (${missing.join(', ')}) if ${they} meant for it.`,
        ),
      ];
    }
    if (owner === 'project') {
      return [note(`${sets}. Isthmus does not load it; it steers Claude Code where that is started in this folder.`)];
    }
    return [
      warning(
        `${sets}, which holds for every Claude Code on this machine, also for those that Isthmus runs.`,
        'Ask who manages this machine if turns go elsewhere than you expect.',
      ),
    ];
  });
  return findings.length > 0
    ? findings
    : [ok('No settings file of Claude Code steers who pays or which way a call takes.')];
}

/** Reads the names, and of the values the base URL alone. */
export function lookAtSettings(
  { operator, folder, settings }: Surroundings,
  platform: NodeJS.Platform = process.platform,
): SeenSettings[] {
  const managed = MANAGED[platform];
  const places: Array<[path: string, owner: Owner]> = [
    [join(configurationFolder(operator), 'settings.json'), 'user'],
    [join(folder, '.claude', 'settings.json'), 'project'],
    [join(folder, '.claude', 'settings.local.json'), 'project'],
    ...(managed ? [[join(managed, 'managed-settings.json'), 'administrator'] as [string, Owner]] : []),
  ];
  // The home is a project, too, if one works there.
  const different = places.filter(([path], at) => places.findIndex(([other]) => other === path) === at);
  return different.flatMap(([path, owner]) => {
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch {
      return [];
    }
    const env = variablesIn(text);
    const { ANTHROPIC_BASE_URL: baseUrl } = env ?? {};
    if (env === undefined || typeof baseUrl !== 'string') return [{ path, owner, names: env && Object.keys(env) }];
    // With the key that Isthmus gives to clients it is meant for one, also where the port is no longer right.
    const hasClientKey = Object.values(env).includes(CLIENT_KEY);
    const ofClient = variablesOfClient(env, (url) => hasClientKey || leadsTo(url, settings));
    return [{ path, owner, names: Object.keys(env).filter((name) => !ofClient.includes(name)), baseUrl }];
  });
}

/** The `env` block; undefined for what is no settings file. */
function variablesIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    const { env } = value as { env?: unknown };
    return typeof env === 'object' && env !== null ? (env as Record<string, unknown>) : {};
  } catch {
    return undefined;
  }
}

export const checkClaudeSettings = (surroundings: Surroundings): Finding[] =>
  claudeSettingsFindings(lookAtSettings(surroundings), surroundings.operator);
