import { CLIENT_APIS } from '../clients/client.ts';
import { SHELLS } from '../clients/sdk-variables.ts';
import type { Command } from './command.ts';

/** Every command, once, in the order of the help text. */
export const COMMANDS = {
  serve: {
    summary: 'run the gateway',
    usage: '',
    flags: {
      supervise: { help: 'start it again after a crash, ever later and not for ever; for containers and plain shells' },
    },
    takesSettings: true,
    load: () => import('./serve.ts'),
  },
  demo: {
    summary: 'show it at work against a scripted model, without any account',
    usage: '',
    flags: {
      once: { help: 'end after the walk' },
      'with-agent': { help: 'let an agent mend a bug, too' },
    },
    takesSettings: true,
    load: () => import('./demo.ts'),
  },
  service: {
    summary: 'keep it running as a service of yours (systemd, launchd), started with the settings that are given',
    usage: 'install | uninstall | status | logs',
    words: ['install', 'uninstall', 'status', 'logs'],
    flags: {
      print: { help: 'install: print the file, and change nothing' },
      yes: { short: 'y', help: 'install, uninstall: do not ask' },
      follow: { help: 'logs: go on as more is written', short: 'f' },
    },
    takesSettings: true,
    load: () => import('./service.ts'),
  },
  status: {
    summary: 'what the running gateway says of itself',
    usage: '',
    flags: { json: { help: 'one JSON object, for scripts' } },
    takesSettings: true,
    load: () => import('./status.ts'),
  },
  logs: {
    summary: 'the log of the gateway that runs as a service',
    usage: '',
    flags: {
      follow: { short: 'f', help: 'go on with each new line' },
      lines: { short: 'n', value: 'N', help: 'how many of the last lines (100)' },
    },
    takesSettings: false,
    load: () => import('./logs.ts'),
  },
  doctor: {
    summary: 'what keeps it from working here, and the cure',
    usage: '',
    flags: {
      json: { help: 'one JSON object, for scripts' },
      quick: { help: 'leave out the credential and the free turn, which take seconds' },
    },
    takesSettings: true,
    load: () => import('./doctor.ts'),
  },
  sessions: {
    summary: 'what is kept of conversations with agents',
    usage: 'list | show ID | purge ID',
    words: ['list', 'show', 'purge'],
    flags: {
      all: { help: 'purge every session' },
      'older-than': { value: 'DAYS', help: 'purge the sessions that ended so many days ago' },
    },
    takesSettings: false,
    load: () => import('./sessions.ts'),
  },
  launch: {
    summary: 'run a client that asks Isthmus; starts a gateway for it if none runs',
    usage: 'CLIENT [-- ARGUMENTS]',
    words: ['opencode', 'claude-code', 'qwen-code', 'pi', 'cline', 'kilo', 'continue', 'droid', 'codex'],
    flags: {
      api: {
        value: CLIENT_APIS.join('|'),
        of: CLIENT_APIS,
        help: 'what the client is to speak (the first that it can)',
      },
    },
    takesSettings: true,
    load: () => import('./launch.ts'),
  },
  clients: {
    summary: 'which clients are on this machine, and how each is pointed at Isthmus',
    usage: '',
    flags: {},
    takesSettings: false,
    load: () => import('./clients.ts'),
  },
  env: {
    summary: 'print the lines that point SDKs at Isthmus: eval "$(isthmus env)"',
    usage: '',
    flags: { shell: { value: SHELLS.join('|'), of: SHELLS, help: 'the shell to print them for (by SHELL)' } },
    takesSettings: true,
    load: () => import('./env.ts'),
  },
  config: {
    summary: 'whether the settings are right, what they are and where each comes from',
    usage: 'check | show',
    words: ['check', 'show'],
    flags: {},
    takesSettings: true,
    load: () => import('./config.ts'),
  },
  setup: {
    summary: 'point a client at the gateway for good, in its own settings file',
    usage: 'CLIENT',
    words: ['opencode', 'kilo', 'claude-code', 'pi', 'qwen-code', 'cline', 'codex', 'continue', 'droid'],
    flags: {
      print: { help: 'print what to put where, and write nothing' },
      undo: { help: 'take back what setup has written' },
      yes: { short: 'y', help: 'write without a question' },
    },
    takesSettings: true,
    load: () => import('./setup.ts'),
  },
  complete: {
    summary: 'print the script by which a shell completes words: source <(isthmus complete bash)',
    usage: 'bash | zsh | fish',
    words: ['bash', 'zsh', 'fish'],
    flags: {},
    takesSettings: false,
    load: () => import('./complete.ts'),
  },
} as const satisfies Record<string, Command>;

export type CommandName = keyof typeof COMMANDS;

export const COMMAND_NAMES = Object.keys(COMMANDS) as CommandName[];

/** @returns undefined if there is no such command */
export function commandOf(name: string): Command | undefined {
  return Object.hasOwn(COMMANDS, name) ? COMMANDS[name as CommandName] : undefined;
}
