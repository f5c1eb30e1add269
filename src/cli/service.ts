import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { isOwn, stateOf, writeWhole } from '../service/owned-file.ts';
import { type Command, type ServiceManager, serviceManagerOf } from '../service/service-manager.ts';
import { chooseWord } from './choose-word.ts';
import type { CommandCall, RunCommand } from './command.ts';
import { CommandError } from './command-error.ts';
import { ownCommand } from './own-command.ts';
import { print } from './print.ts';

/** Settings whose value is a path: a service runs in another folder than the one where it was installed. */
const PATHS = ['config', 'claude', 'workspace', 'socket'];

/** `isthmus service`: keeps `isthmus serve` running as a service of the user. */
export const run: RunCommand = async (call) => {
  const word = chooseWord('service', call.words);
  const { environment } = call;
  const manager = serviceManagerOf({
    platform: process.platform,
    home: homedir(),
    configHome: environment.XDG_CONFIG_HOME,
    uid: process.getuid?.() ?? 0,
  });
  if (manager === undefined)
    throw new CommandError(
      'Isthmus installs services of systemd and launchd. docs/service.md says how to keep it running here.',
    );
  if (word === 'install') return await install(call, manager);
  const { print: isPrint, yes, follow, ...settings } = call.flags;
  const [other] = [...Object.keys(settings), ...(isPrint ? ['print'] : [])];
  if (other !== undefined) throw new CommandError(`--${other} belongs to \`isthmus service install\`.`);
  if (word === 'uninstall') return await uninstall(call, manager);
  if (yes) throw new CommandError('--yes belongs to `isthmus service install` and `isthmus service uninstall`.');
  if (!existsSync(manager.file)) throw new CommandError('There is no service yet: isthmus service install.');
  if (word === 'status') process.exitCode = follows(manager.status);
  else await (await import('./logs.ts')).run({ ...call, flags: follow === undefined ? {} : { follow } });
};

async function install(call: CommandCall, manager: ServiceManager): Promise<void> {
  const { print: isPrint, yes, follow, ...flags } = call.flags;
  if (follow) throw new CommandError('--follow belongs to `isthmus service logs`.');
  // A service that could not start is not installed.
  const { drainSeconds } = await call.settings();
  const absolute = Object.entries(flags).map(([name, value]) => [name, PATHS.includes(name) ? resolve(value) : value]);
  const command = ownCommand('serve', Object.fromEntries(absolute));
  const environmentFile = join(homedir(), '.config', 'isthmus', 'environment');
  const text = manager.textOf({ command, environmentFile, drainSeconds });
  if (isPrint) {
    process.stdout.write(text);
    return;
  }
  const state = stateOf(manager.file, text);
  if (state === 'same') {
    print([`${manager.file} is so already. To start it anew: ${lineOf(manager.start.at(-1) ?? manager.status)}`]);
    return;
  }
  needManager(manager);
  print([`${manager.file}:`, '', ...text.split('\n').map((line) => (line ? `  ${line}` : '')), 'Then:']);
  print(manager.start.map((words) => `  ${lineOf(words)}`));
  print(['', ...warnings(command, environmentFile)]);
  if (state === 'foreign') {
    if (yes)
      throw new CommandError(
        `${manager.file} was written or changed by somebody else. Look at it, and remove it: rm ${manager.file}`,
      );
    print(['That file was written or changed by somebody else; what it says now is LOST.']);
  }
  await confirm('Write it, and start the service?', yes !== undefined);
  if (state !== 'absent' && manager.name === 'launchd') runQuietly(manager.stop);
  writeWhole(manager.file, text);
  for (const words of manager.start) {
    if (follows(words) !== 0) throw new CommandError(`\`${lineOf(words)}\` failed; ${manager.file} is written.`);
  }
  print(['Isthmus runs as a service: isthmus service status, isthmus service logs -f.', manager.hint]);
}

async function uninstall({ flags }: CommandCall, manager: ServiceManager): Promise<void> {
  if (flags.follow) throw new CommandError('--follow belongs to `isthmus service logs`.');
  const { file } = manager;
  if (!existsSync(file)) {
    print(['There is no service.']);
    return;
  }
  if (!isOwn(readFileSync(file, 'utf8')))
    throw new CommandError(`${file} was written or changed by somebody else, and stays. To remove it: rm ${file}`);
  await confirm(`Stop the service, and remove ${file}?`, flags.yes !== undefined);
  runQuietly(manager.stop);
  rmSync(file, { force: true });
  runQuietly(manager.afterRemoval);
  print([`The service is gone. What Isthmus keeps for you stays: its settings, and what agents did.`]);
}

/** What a user may not expect of such a service. */
function warnings([, program = '']: readonly string[], environmentFile: string): string[] {
  const lines = [
    existsSync(environmentFile)
      ? `Its variables come from ${environmentFile}.`
      : `It gets none of the variables of this shell. With a credential in a variable, write ${environmentFile} (chmod 600): ANTHROPIC_API_KEY=...`,
  ];
  if (program.includes('/_npx/'))
    lines.push(`WARNING: ${program} lies in the cache of npx, which npm may empty. Better: npm i -g isthmus-gateway`);
  return lines;
}

function needManager({ name, probe }: ServiceManager): void {
  const { status, error, stderr } = spawnSync(probe[0], probe.slice(1), { encoding: 'utf8' });
  if (status === 0) return;
  const [why = ''] = (error?.message ?? stderr).trim().split('\n');
  throw new CommandError(
    `${name} cannot be reached (${why}). Without it: isthmus serve --supervise; --print shows the file.`,
  );
}

/** @throws CommandError without a yes */
async function confirm(question: string, isSure: boolean): Promise<void> {
  if (isSure) return;
  if (!process.stdin.isTTY) throw new CommandError('Nothing is changed without your word: add --yes.');
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(`${question} [y/N] `);
  terminal.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new CommandError('Nothing is changed.');
}

/** Runs a command in this terminal. @returns its exit code */
function follows([program, ...args]: Command): number {
  const { status, error } = spawnSync(program, args, { stdio: 'inherit' });
  if (error) throw new CommandError(`\`${program}\` cannot be run: ${error.message}.`);
  return status ?? 1;
}

function runQuietly(commands: readonly Command[]): void {
  for (const [program, ...args] of commands) spawnSync(program, args, { stdio: 'ignore' });
}

function lineOf(words: Command): string {
  return words.join(' ');
}
