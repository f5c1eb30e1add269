import { endLeftProcesses } from './left-processes.ts';
import { findLeftDirectories } from './run-directory.ts';
import { SessionFiles } from './session-files.ts';

/**
 * Removes what this user's dead gateways have left: processes, session records, transcripts, run directories.
 *
 * A session record goes only together with its run directory. If that is not visible here, as from another container with the
 * same home, the record stays: nobody knows whether its gateway lives.
 *
 * @param configurations the folders of Claude Code's configuration in which they may have left something
 */
export async function removeLeftovers(configurations: readonly string[]): Promise<void> {
  for (const { work, temporary, sessions, isDead, remove } of await findLeftDirectories()) {
    if (isDead) endLeftProcesses(temporary);
    for (const folder of configurations) new SessionFiles(folder).removeAll(work, sessions);
    try {
      remove();
    } catch {
      // A process of that gateway may still be ending; the next gateway removes it.
    }
  }
}
