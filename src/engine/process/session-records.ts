import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from './environment.ts';

/**
 * The records that Claude Code keeps of its live sessions in the user's configuration, `sessions/<pid>.json`. A process
 * that is killed leaves its record behind, and we kill all of ours.
 *
 * Nothing documents them: a record is removed only if its working directory is one of ours, and what cannot be read stays.
 */
export class SessionRecords {
  readonly #folder: string;

  /** @param variables of the processes */
  constructor(variables: Environment) {
    const home = variables.HOME ?? variables.USERPROFILE ?? homedir();
    this.#folder = join(variables.CLAUDE_CONFIG_DIR ?? join(home, '.claude'), 'sessions');
  }

  /**
   * Removes the record of a process that is no more.
   *
   * @param work its working directory
   */
  remove(pid: number, work: string): void {
    this.#removeIf(`${pid}.json`, work);
  }

  /**
   * Removes the records of all processes of a gateway that is no more.
   *
   * @param work their working directory
   */
  removeAll(work: string): void {
    let names: string[] = [];
    try {
      names = readdirSync(this.#folder);
    } catch {
      // Claude Code has never run here.
    }
    for (const name of names) if (/^\d+\.json$/.test(name)) this.#removeIf(name, work);
  }

  #removeIf(name: string, work: string): void {
    const file = join(this.#folder, name);
    try {
      const record: unknown = JSON.parse(readFileSync(file, 'utf8'));
      const isOurs = typeof record === 'object' && record !== null && 'cwd' in record && record.cwd === work;
      if (isOurs) rmSync(file, { force: true });
    } catch {
      // There is none, as of a process that had a configuration of its own; or it is not what we know.
    }
  }
}
