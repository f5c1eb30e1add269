import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from './environment.ts';
import { isLeftWork } from './run-directory.ts';

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
    this.#removeIf(`${pid}.json`, (cwd) => cwd === work);
  }

  /** Removes the records of processes whose gateways are no more. */
  removeLeft(): void {
    let names: string[] = [];
    try {
      names = readdirSync(this.#folder);
    } catch {
      // Claude Code has never run here.
    }
    for (const name of names) if (/^\d+\.json$/.test(name)) this.#removeIf(name, isLeftWork);
  }

  #removeIf(name: string, isOurs: (cwd: string) => boolean): void {
    const file = join(this.#folder, name);
    try {
      const record: unknown = JSON.parse(readFileSync(file, 'utf8'));
      const cwd = typeof record === 'object' && record !== null && 'cwd' in record ? String(record.cwd) : '';
      if (isOurs(cwd)) rmSync(file, { force: true });
    } catch {
      // There is none, as of a process that had a configuration of its own; or it is not what we know.
    }
  }
}
