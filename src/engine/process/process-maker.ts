import type { Options } from '@anthropic-ai/claude-agent-sdk';
import { Child } from './child.ts';
import { inFolder, type ProcessEnvironment } from './environment.ts';
import type { ClaudeExecutable } from './executable.ts';
import { createProcessFiles, type ProcessFiles, type SpawnContents } from './process-files.ts';
import { clientToolsProfile, type ProcessProfile, toOptions } from './profile.ts';
import type { RunDirectory } from './run-directory.ts';
import { SessionRecords } from './session-records.ts';
import type { Spawner } from './spawner.ts';

export interface ProcessMakerOptions {
  executable: ClaudeExecutable;
  environment: ProcessEnvironment;
  directory: RunDirectory;
  spawner: Spawner;
}

/** A process that is about to be spawned, with the files that it reads first. */
export interface NewProcess {
  child: Child;
  files: ProcessFiles;
}

/** Makes processes and knows all that live. What a process wrote is removed when it has exited. */
export class ProcessMaker {
  readonly #options: ProcessMakerOptions;
  readonly #children = new Set<Child>();
  readonly #records: SessionRecords;

  constructor(options: ProcessMakerOptions) {
    this.#options = options;
    this.#records = new SessionRecords(options.environment.variables);
  }

  /** @throws FailureError `files_not_written` */
  create(contents?: SpawnContents): NewProcess {
    const { directory } = this.#options;
    const files = createProcessFiles(directory, contents);
    const child = new Child((pid) => {
      files.remove();
      if (pid !== undefined) this.#records.remove(pid, directory.work);
    });
    return { child, files };
  }

  /** The profile of a process that has the client's tools only and writes into its own folder. */
  profile({ files }: NewProcess): ProcessProfile {
    const { environment, directory } = this.#options;
    return clientToolsProfile(inFolder(environment.variables, files.folder), directory.work);
  }

  /** The SDK's options that spawn it. */
  options({ child }: NewProcess, profile: ProcessProfile): Options {
    const { executable, spawner } = this.#options;
    return {
      ...toOptions(profile),
      pathToClaudeCodeExecutable: executable.path,
      spawnClaudeCodeProcess: (spawnOptions) => {
        const spawned = spawner.spawn(spawnOptions);
        child.adopt(spawned);
        this.#children.add(child);
        void child.gone.then(() => this.#children.delete(child));
        return spawned;
      },
    };
  }

  /** Ends every process, also one that nobody has yet, such as a spare that is being spawned. */
  endAll(): void {
    for (const child of this.#children) child.end();
  }

  /** Resolves when no process is left, and so none writes files any more. */
  async allGone(): Promise<void> {
    await Promise.all([...this.#children].map(({ gone }) => gone));
  }

  /** Removes the files of all processes without waiting for their exit: for the end of the program. */
  abandonAll(): void {
    for (const child of this.#children) child.abandon();
  }
}
