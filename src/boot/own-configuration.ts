import { accessSync, constants, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { stateFolder } from '../config/state-folder.ts';

/** The folder of Claude Code's configuration for the processes of Isthmus, where no login pays. */
export interface OwnConfiguration {
  folder: string;
  /** Why the next gateway will not find it again; undefined if it will. */
  problem?: string;
}

/**
 * Makes the folder: `claude` in the state folder. It is kept across restarts, as Claude Code
 * keeps the id of the device there.
 *
 * @param operator the environment that says where the home is
 * @param fallback used when the folder cannot be made
 */
export function ownConfiguration(
  operator: Readonly<Record<string, string | undefined>>,
  fallback: string,
): OwnConfiguration {
  try {
    const folder = ownConfigurationFolder(operator);
    if (folder === undefined) throw new Error('neither HOME nor XDG_STATE_HOME is set');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.W_OK);
    return { folder };
  } catch (error) {
    mkdirSync(fallback, { mode: 0o700 });
    return { folder: fallback, problem: error instanceof Error ? error.message : String(error) };
  }
}

/** Where that folder is, whether or not it is there; undefined without a home. */
export function ownConfigurationFolder(operator: Readonly<Record<string, string | undefined>>): string | undefined {
  const state = stateFolder(operator);
  return state && join(state, 'claude');
}
