import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { SessionKey } from '@anthropic-ai/claude-agent-sdk';
import { isProjectOf, namesIn, removeTranscript, transcriptName } from './sdk-transcripts.ts';

/** What a record says, as far as we read it. */
interface SessionRecord {
  cwd?: unknown;
  sessionId?: unknown;
}

/**
 * What Claude Code keeps of its sessions in its configuration: a record of each live one, `sessions/<pid>.json` with a key beside
 * it, which a killed process leaves behind; the transcripts of those that began anew, `projects/<project>/<session>.jsonl`; and of
 * those that ran tools, large results beside the transcript and `session-env/<session>`.
 *
 * Neither is documented. We remove what names a working directory or a session of ours; what we cannot read stays.
 */
export class SessionFiles {
  readonly #records: string;
  readonly #projects: string;
  readonly #environments: string;

  /** @param folder of the configuration */
  constructor(folder: string) {
    this.#records = join(folder, 'sessions');
    this.#projects = join(folder, 'projects');
    this.#environments = join(folder, 'session-env');
  }

  /**
   * Removes the record of a process that has exited.
   *
   * @param work its working directory
   */
  removeRecord(pid: number, work: string): void {
    this.#removeRecordIf(`${pid}.json`, ({ cwd }) => cwd === work);
  }

  /** Removes the transcript of a process that has exited, and what its tools left. */
  removeTranscript({ projectKey, sessionId }: SessionKey): void {
    const project = join(this.#projects, projectKey);
    for (const name of [transcriptName(sessionId), sessionId]) removeTranscript(join(project, name));
    removeTranscript(join(this.#environments, sessionId));
  }

  /**
   * Removes all that the processes of an ended gateway left.
   *
   * @param work their working directory
   * @param sessions of processes that worked elsewhere
   */
  removeAll(work: string, sessions: readonly string[] = []): void {
    const isOurs = ({ cwd, sessionId }: SessionRecord) => cwd === work || sessions.includes(String(sessionId));
    for (const name of namesIn(this.#records)) if (/^\d+\.json$/.test(name)) this.#removeRecordIf(name, isOurs);
    for (const projectKey of namesIn(this.#projects)) {
      if (isProjectOf(projectKey, work)) removeTranscript(join(this.#projects, projectKey));
      else for (const sessionId of sessions) this.removeTranscript({ projectKey, sessionId });
    }
  }

  #removeRecordIf(name: string, isOurs: (record: SessionRecord) => boolean): void {
    const file = join(this.#records, name);
    try {
      const record: unknown = JSON.parse(readFileSync(file, 'utf8'));
      if (typeof record !== 'object' || record === null || !isOurs(record)) return;
      const [pid] = name.split('.');
      const keys = namesIn(this.#records).filter((other) => other.startsWith(`${pid}.`) && other.endsWith('.key'));
      for (const own of [name, ...keys]) rmSync(join(this.#records, own), { force: true });
    } catch {
      // No record, or one in a form that we do not know.
    }
  }
}
