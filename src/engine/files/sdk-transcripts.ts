import { existsSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Begins the name of each folder in which the SDK puts the transcript of a replay. */
const PREFIX = 'claude-resume-';

/** The SDK's folder for the transcript that a process with this environment resumes; undefined if it resumes none. */
export function resumedFolder({ CLAUDE_CONFIG_DIR: folder }: NodeJS.ProcessEnv): string | undefined {
  return folder !== undefined && basename(folder).startsWith(PREFIX) ? folder : undefined;
}

/**
 * Removes a transcript whose process has exited: the SDK's folder of one that was resumed, or Claude Code's file. The SDK
 * removes its folder too, but a gateway that ends meanwhile would leave a part of it, and with a login that may be the copy of
 * the sign-in.
 */
export function removeTranscript(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true, maxRetries: 5 });
  } catch {
    // The SDK is removing it, or the next gateway does.
  }
}

/**
 * Removes the transcripts that the SDK wrote for processes in one working directory. The SDK removes each with its process;
 * those that stay belong to a gateway that was killed.
 *
 * The SDK decides where they lie. It names a transcript's project after the working directory, so the random name of the run
 * directory says whose it is.
 *
 * @param parent the temporary directory
 * @param sessions of processes that worked elsewhere
 */
export function removeTranscripts(parent: string, work: string, sessions: readonly string[]): void {
  for (const folder of findTranscripts(parent, work, sessions)) removeTranscript(folder);
}

/** The SDK's folders with the transcript of a process in this working directory, or of one of these sessions. */
export function findTranscripts(parent: string, work: string, sessions: readonly string[] = []): string[] {
  const files = sessions.map(transcriptName);
  return namesIn(parent)
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => join(parent, name))
    .filter((folder) => {
      const projects = join(folder, 'projects');
      return namesIn(projects).some(
        (project) => isProjectOf(project, work) || files.some((file) => existsSync(join(projects, project, file))),
      );
    });
}

/** The file with the transcript of a session, in its project. */
export const transcriptName = (session: string): string => `${session}.jsonl`;

/**
 * Whether the transcripts of processes in this working directory lie under this name. Claude Code makes it from the path, with
 * all but letters and digits replaced.
 */
export function isProjectOf(project: string, work: string): boolean {
  return project.endsWith(`-${basename(dirname(work))}-${basename(work)}`);
}

export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // It is another user's, or has just been removed.
    return [];
  }
}
