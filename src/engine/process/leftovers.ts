import type { Environment } from './environment.ts';
import { findLeftDirectories } from './run-directory.ts';
import { SessionFiles } from './session-files.ts';

/**
 * Removes what this user's dead gateways have left: session records, transcripts, run directories.
 *
 * A session record goes only together with its run directory. If that is not visible here, as from another container with the
 * same home, the record stays: nobody knows whether its gateway lives.
 *
 * @param variables of the processes, which say where the session records are
 */
export async function removeLeftovers(variables: Environment): Promise<void> {
  const sessions = new SessionFiles(variables);
  for (const { work, remove } of await findLeftDirectories()) {
    sessions.removeAll(work);
    try {
      remove();
    } catch {
      // A process of that gateway may still be ending; the next gateway removes it.
    }
  }
}
