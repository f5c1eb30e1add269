import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { namesIn } from './sdk-transcripts.ts';

/**
 * The file in a process's folder with the id of its session. A process that works elsewhere than in the gateway's working
 * directory has one: nothing else tells whose its files are, should the gateway be killed.
 */
export const SESSION_NOTE = 'session.txt';

const SESSION = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The sessions of which there is a note in one of a gateway's temporary folders. */
export function notedSessions(temporary: string): string[] {
  return namesIn(temporary).flatMap((folder) => {
    try {
      const session = readFileSync(join(temporary, folder, SESSION_NOTE), 'utf8');
      return SESSION.test(session) ? [session] : [];
    } catch {
      return [];
    }
  });
}
