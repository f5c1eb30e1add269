import { readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Of the folders in which the SDK puts the transcripts of replays. */
const PREFIX = 'claude-resume-';

/**
 * Removes the transcripts that the SDK has written for processes of one working directory. It removes each with its
 * process; what stays behind is of a gateway that has ended before.
 *
 * The SDK gives no choice where they lie, and names a transcript's project by the working directory with all but letters
 * and digits replaced: so the random name of the run directory says whose it is.
 *
 * @param parent the temporary directory
 */
export function removeTranscripts(parent: string, work: string): void {
  for (const folder of findTranscripts(parent, work)) {
    try {
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    } catch {
      // The SDK may be removing it, too.
    }
  }
}

/** The folders of the SDK's that hold the transcript of a process in this working directory. */
export function findTranscripts(parent: string, work: string): string[] {
  const ending = `-${basename(dirname(work))}-${basename(work)}`;
  return namesIn(parent)
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => join(parent, name))
    .filter((folder) => namesIn(join(folder, 'projects')).some((project) => project.endsWith(ending)));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Another user's, or just removed.
    return [];
  }
}
