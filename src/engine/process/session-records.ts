import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { configurationFolder, type Environment } from './environment.ts';

/**
 * Claude Code's records of its live sessions, `sessions/<pid>.json` in the user's configuration. A killed process leaves its
 * record behind, and we kill all of ours.
 *
 * The records are not documented. We remove one only if its working directory is ours; what we cannot read stays.
 */
export class SessionRecords {
  readonly #folder: string;

  /** @param variables of the processes */
  constructor(variables: Environment) {
    this.#folder = join(configurationFolder(variables), 'sessions');
  }

  /**
   * Removes the record of a process that has exited.
   *
   * @param work its working directory
   */
  remove(pid: number, work: string): void {
    this.#removeIf(`${pid}.json`, work);
  }

  /**
   * Removes the records of all processes of a dead gateway.
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
      // No record, or one in a form that we do not know.
    }
  }
}
