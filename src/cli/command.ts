import type { Settings } from '../config/settings.ts';

/** What one command was called with. */
export interface CommandCall {
  /** The words behind the command's name. */
  words: readonly string[];
  /** What stands behind `--`, untouched. */
  rest: readonly string[];
  /** The command's own flags and settings as given; a switch has `true`. */
  flags: Readonly<Record<string, string>>;
  environment: NodeJS.ProcessEnv;
  /**
   * The settings by flags, variables and file.
   *
   * @throws SettingsError
   */
  settings(): Promise<Settings>;
}

/** Runs one command. @throws CommandError, SettingsError, BootError for an expected problem */
export type RunCommand = (call: CommandCall) => void | Promise<void>;

/** A flag of a command that is no setting. */
export interface Flag {
  /** Stands for the value in the help text; none for a switch. */
  value?: string;
  /** What the value can be, if that is known. */
  of?: readonly string[];
  help: string;
  /** The flag of one letter that says the same. */
  short?: string;
}

/** A command, as far as the help text, the completion and the parser know it. */
export interface Command {
  /** One sentence without its period. */
  summary: string;
  /** The words behind the name, as the help text shows them; empty if there are none. */
  usage: string;
  /** What the first of these words can be, if that is known. */
  words?: readonly string[];
  flags: Readonly<Record<string, Flag>>;
  /** Whether it takes the settings of `serve`, and `--config`. */
  takesSettings: boolean;
  /** Loads what runs it; nothing of it is loaded before. */
  load(): Promise<{ run: RunCommand }>;
}
