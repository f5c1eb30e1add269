import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { configurationFolder, steers, variablesOfClient } from '../engine/environment/environment.ts';
import type { CredentialCommands } from '../engine/environment/flag-settings.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** What the user's `settings.json` says of credentials. */
export interface UserSettings {
  path: string;
  /** The commands that produce or refresh a credential, for the settings of every process. */
  commands: CredentialCommands;
  /** The variables of its `env` block that say who pays or which way a call takes, and that the environment does not have. */
  unloaded: string[];
}

const command = z.string().min(1).optional().catch(undefined);
const credentialCommands = z.object({
  apiKeyHelper: command,
  awsAuthRefresh: command,
  awsCredentialExport: command,
  gcpAuthRefresh: command,
});

/**
 * Reads the credential part of the user's settings, which the processes do not load. Of the `env` block it keeps names alone:
 * the values may be secrets. It leaves out what points Claude Code at this gateway, as `isthmus setup claude-code` does.
 *
 * @param operator the environment that credentials come from
 * @param isOwnAddress whether a URL is this gateway's own address
 * @returns nothing but the path if there is no such file, or if it cannot be read
 */
export function readUserSettings(operator: Variables, isOwnAddress: (url: string) => boolean): UserSettings {
  const path = join(configurationFolder(operator), 'settings.json');
  const settings = parse(path);
  const given = Object.entries(credentialCommands.parse(settings)).filter(([, value]) => value !== undefined);
  const { env } = settings;
  const variables = typeof env === 'object' && env !== null ? { ...env } : {};
  const ofClient = variablesOfClient(variables, isOwnAddress);
  const names = Object.keys(variables).filter((name) => !ofClient.includes(name));
  return {
    path,
    commands: Object.fromEntries(given),
    unloaded: names.filter((name) => steers(name) && !operator[name]),
  };
}

function parse(path: string): { env?: unknown } {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8').replace(/^\uFEFF/, ''));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
  } catch {
    return {};
  }
}

/** One line for the operator about what is not loaded; undefined if everything is. */
export function unloadedProblem({ path, unloaded }: UserSettings): string | undefined {
  if (unloaded.length === 0) return undefined;
  return `${path} sets ${unloaded.join(', ')} in its env block, which Isthmus does not load: put ${unloaded.length === 1 ? 'that variable' : 'those variables'} into the environment of Isthmus.`;
}
