import { createRequire } from 'node:module';
import { homedir, tmpdir } from 'node:os';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import { isLoopback } from '../access/request-guard.ts';
import { LIKE_A_MODEL } from '../agents/agent-names.ts';
import { type DefinedAgent, defineAgents } from '../agents/define-agents.ts';
import { programWithin } from '../agents/workspaces.ts';
import type { Settings } from '../config/settings.ts';
import { SettingsError } from '../config/settings-error.ts';
import { stateFolder } from '../config/state-folder.ts';
import { checkSandbox, describeSandboxProblem } from '../engine/agents/sandbox-check.ts';
import { configurationFolder, type Environment } from '../engine/environment/environment.ts';
import { isRunDirectoryName, type RunDirectory } from '../engine/files/run-directory.ts';
import type { KnownModels } from '../models/known-models.ts';
import { BootError } from './boot-error.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * The agents that the settings define, checked against this machine.
 *
 * @param operator the environment that the definitions name variables of
 * @param claude the path of the binary that runs
 * @param configFile the file that the settings come from
 * @throws SettingsError
 */
export function agentsOf(settings: Settings, operator: Variables, claude: string, configFile?: string): DefinedAgent[] {
  const home = operator.HOME || operator.USERPROFILE || homedir();
  return defineAgents(settings, {
    variables: operator,
    // Who calls it by another name comes through something that others reach.
    isReachable: [settings.host, ...settings.allowedHosts].some((name) => !isLoopback(name)),
    programs: [
      dirname(createRequire(import.meta.url).resolve('isthmus-gateway/package.json')),
      process.execPath,
      resolve(claude),
    ],
    guarded: {
      home,
      temporary: tmpdir(),
      isRunDirectory: isRunDirectoryName,
      own: [join(home, '.config', 'isthmus'), configurationFolder(operator), stateFolder(operator), configFile].filter(
        (path) => path !== undefined,
      ),
    },
  });
}

/**
 * The operator's environment without the folders of `PATH` in which an agent writes: it could put a program there that Isthmus
 * runs. `npx` adds such folders.
 */
export function withoutWorkspaces(operator: Variables, defined: readonly DefinedAgent[]): Variables {
  const written = defined.filter(({ agent }) => agent.level !== 'read').map(({ agent }) => agent.workspace);
  if (operator.PATH === undefined || written.length === 0) return operator;
  const kept = operator.PATH.split(delimiter).filter(
    (folder) => isAbsolute(folder) && written.every((workspace) => programWithin(workspace, [folder]) === undefined),
  );
  return { ...operator, PATH: kept.join(delimiter) };
}

/**
 * Refuses an agent that a model is called like: its requests would run the agent.
 *
 * @throws SettingsError
 */
export function checkAgainstModels(defined: readonly DefinedAgent[], models: Pick<KnownModels, 'find'>): void {
  const like = defined.find(({ agent }) => models.find(agent.name));
  if (like) throw new SettingsError(`agents: ${JSON.stringify(like.agent.name)} ${LIKE_A_MODEL}.`);
}

/**
 * Refuses agents that run commands where their sandbox does not work.
 *
 * @param variables of the processes
 * @param directory of the processes
 * @throws BootError
 */
export async function checkCommands(
  defined: readonly DefinedAgent[],
  variables: Environment,
  directory: RunDirectory,
): Promise<void> {
  const names = defined.filter(({ agent }) => agent.level === 'shell').map(({ agent }) => agent.name);
  const problem = names.length > 0 ? await checkSandbox(variables, directory) : undefined;
  if (problem) throw new BootError(`agents: ${names.join(', ')}: ${describeSandboxProblem(problem)}`);
}
