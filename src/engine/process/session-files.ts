import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { SessionKey } from '@anthropic-ai/claude-agent-sdk';
import { isProjectOf, namesIn, removeTranscript } from './sdk-transcripts.ts';

/**
 * What Claude Code keeps of its sessions in its configuration: a record of each live one, `sessions/<pid>.json`, which a killed
 * process leaves behind, and the transcripts of those that began anew, `projects/<project>/<session>.jsonl`.
 *
 * Neither is documented. We remove what names a working directory of ours; what we cannot read stays.
 */
export class SessionFiles {
  readonly #records: string;
  readonly #projects: string;

  /** @param folder of the configuration */
  constructor(folder: string) {
    this.#records = join(folder, 'sessions');
    this.#projects = join(folder, 'projects');
  }

  /**
   * Removes the record of a process that has exited.
   *
   * @param work its working directory
   */
  removeRecord(pid: number, work: string): void {
    this.#removeRecordIf(`${pid}.json`, work);
  }

  /** Removes the transcript of a process that has exited, and the large results of tools that it kept beside it. */
  removeTranscript({ projectKey, sessionId }: SessionKey): void {
    for (const name of [`${sessionId}.jsonl`, sessionId]) removeTranscript(join(this.#projects, projectKey, name));
  }

  /**
   * Removes all that the processes of an ended gateway left.
   *
   * @param work their working directory
   */
  removeAll(work: string): void {
    for (const name of namesIn(this.#records)) if (/^\d+\.json$/.test(name)) this.#removeRecordIf(name, work);
    for (const name of namesIn(this.#projects))
      if (isProjectOf(name, work)) removeTranscript(join(this.#projects, name));
  }

  #removeRecordIf(name: string, work: string): void {
    const file = join(this.#records, name);
    try {
      const record: unknown = JSON.parse(readFileSync(file, 'utf8'));
      const isOurs = typeof record === 'object' && record !== null && 'cwd' in record && record.cwd === work;
      if (isOurs) rmSync(file, { force: true });
    } catch {
      // No record, or one in a form that we do not know.
    }
  }
}
