import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/gateway.ts';
import { type ClientRun, type Files, Project, type RunningProgram } from './project.ts';

/** A repository in which Codex runs, set up by hand as docs/clients.md says. */
export class CodexProject extends Project {
  /** @param url what Codex is told to be the gateway */
  constructor(url: string, files: Files = {}) {
    super('codex', { 'readme.md': 'Numbers.\n', ...files });
    mkdirSync(join(this.home, '.codex'));
    const [configuration = ''] = documentedBlocks();
    writeFileSync(join(this.home, '.codex', 'config.toml'), configuration.replaceAll(DOCUMENTED_URL, url));
  }

  /** `codex exec` with these arguments, to its end. */
  exec(...args: string[]): Promise<ClientRun> {
    return this.runProgram(program(), execArgs(args), {});
  }

  /** The same, while it runs. */
  start(...args: string[]): RunningProgram {
    return this.startProgram(program(), execArgs(args), {});
  }
}

const DOCUMENTED_URL = 'http://127.0.0.1:3456';

/** The blocks of the documents that are to be put into `config.toml`: for every gateway, and for an alias under `--strict`. */
function documentedBlocks(): string[] {
  const section = readFileSync(join(ROOT, 'docs', 'clients.md'), 'utf8').split('\n## Codex\n')[1] ?? '';
  return [...section.matchAll(/```toml\n(.*?)```/gs)].map(([, block = '']) => block);
}

/** What the documents say is to be set for a model of OpenAI's under `--strict`, as arguments. */
export function switchesForAlias(): string[] {
  const [, block = ''] = documentedBlocks();
  return block
    .trim()
    .split('\n')
    .flatMap((line) => ['-c', line]);
}

function execArgs(args: string[]): string[] {
  return [
    'exec',
    // Its sandbox needs a program that it does not put into a temporary home.
    ...['-c', 'sandbox_mode="danger-full-access"'],
    // Where it may not ask the network, it waits five seconds for that at its end.
    ...['-c', 'analytics={enabled=false}'],
    ...args,
  ];
}

function program(): string {
  const path = process.env.ISTHMUS_CLIENTS_CODEX;
  if (!path) throw new Error('Run these checks with `npm run test:clients`, which installs Codex first.');
  return path;
}
