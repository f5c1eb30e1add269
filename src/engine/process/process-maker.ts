import type { Options, Settings } from '@anthropic-ai/claude-agent-sdk';
import { CUSTOM_HEADERS, withVia } from '../environment/custom-headers.ts';
import {
  configurationFolder,
  type Environment,
  inFolder,
  type ProcessEnvironment,
} from '../environment/environment.ts';
import type { ClaudeExecutable } from '../environment/executable.ts';
import { type CredentialCommands, flagSettings } from '../environment/flag-settings.ts';
import { createProcessFiles, type ProcessFiles } from '../files/process-files.ts';
import type { RunDirectory } from '../files/run-directory.ts';
import { removeTranscript, resumedFolder } from '../files/sdk-transcripts.ts';
import { SessionFiles } from '../files/session-files.ts';
import { Child } from './child.ts';
import { clientToolsProfile, type ProcessProfile, toOptions } from './profile.ts';
import type { Spawner } from './spawner.ts';

export interface ProcessMakerOptions {
  executable: ClaudeExecutable;
  environment: ProcessEnvironment;
  directory: RunDirectory;
  spawner: Spawner;
  /** For the settings of every process. */
  credentialCommands?: CredentialCommands;
}

/** A process that is about to be spawned, with the files that it reads first. */
export interface NewProcess {
  child: Child;
  files: ProcessFiles;
  environment: Environment;
}

/** What {@link ProcessMaker.create} takes; each can be left out. */
export interface NewProcessContents {
  system?: string;
  settings?: (scratch: string) => Settings;
  requested?: Environment;
  environment?: Environment;
  session?: string;
  via?: readonly string[];
}

/** Makes processes and knows all that live. What a process wrote is removed when it has exited. */
export class ProcessMaker {
  readonly #options: ProcessMakerOptions;
  readonly #children = new Set<Child>();
  readonly #sessions: SessionFiles;

  constructor(options: ProcessMakerOptions) {
    this.#options = options;
    this.#sessions = new SessionFiles(configurationFolder(options.environment.variables));
  }

  /**
   * @param contents.system the system prompt
   * @param contents.settings beside those that every process has; they may name its scratch folder
   * @param contents.requested what the first request asks for, as variables
   * @param contents.environment in place of that of all processes
   * @param contents.session the id of its session, for a process that works elsewhere than the others
   * @param contents.via the gateways that the first request came through
   * @throws FailureError `files_not_written`, `machine_at_limit`
   */
  create({ system, settings, requested, session, via = [], ...given }: NewProcessContents = {}): NewProcess {
    const { variables } = this.environment;
    const { environment = { ...variables, [CUSTOM_HEADERS]: this.headersFor(via) } } = given;
    const { directory, credentialCommands } = this.#options;
    const flags = flagSettings(this.environment, environment, requested);
    const files = createProcessFiles(directory, (scratch) => ({
      settings: JSON.stringify({ ...settings?.(scratch), ...credentialCommands, ...flags }),
      ...(system ? { system } : {}),
      ...(session ? { session } : {}),
    }));
    const child = new Child(({ pid, resumed, transcript, workingDirectory = directory.work }) => {
      files.remove();
      if (resumed !== undefined) removeTranscript(resumed);
      if (pid !== undefined) this.#sessions.removeRecord(pid, workingDirectory);
      if (transcript !== undefined) this.#sessions.removeTranscript(transcript);
    });
    return { child, files, environment };
  }

  /**
   * The headers of a process's requests, in the form of {@link CUSTOM_HEADERS}.
   *
   * @param via the gateways that the client's request came through
   */
  headersFor(via: readonly string[]): string {
    const { variables, id } = this.environment;
    return withVia(variables[CUSTOM_HEADERS], [...via, id]);
  }

  get environment(): ProcessEnvironment {
    return this.#options.environment;
  }

  /** The profile of a process that has the client's tools only and writes into its own folder. */
  profile({ files, environment }: NewProcess): ProcessProfile {
    return clientToolsProfile(inFolder(environment, files.folder), this.#options.directory.work);
  }

  /** The SDK's options that spawn it. */
  options({ child, files }: NewProcess, profile: ProcessProfile): Options {
    const { executable, spawner } = this.#options;
    const { extraArgs, ...options } = toOptions(profile);
    return {
      ...options,
      ...(files.settings && { settings: files.settings }),
      extraArgs: { ...extraArgs, ...(files.system && { 'append-system-prompt-file': files.system }) },
      pathToClaudeCodeExecutable: executable.path,
      spawnClaudeCodeProcess: (spawnOptions) => {
        const spawned = spawner.spawn(spawnOptions);
        child.resumed = resumedFolder(spawnOptions.env);
        child.workingDirectory = spawnOptions.cwd;
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
