import { agentsOf } from '../boot/own-agents.ts';
import { SettingsError } from '../config/settings-error.ts';
import { checkSandbox, describeSandboxProblem, type SandboxProblem } from '../engine/agents/sandbox-check.ts';
import { neutralEnvironment } from '../engine/environment/environment.ts';
import { createRunDirectory } from '../engine/files/run-directory.ts';
import { findOnPath } from '../engine/process/spawner.ts';
import type { AgentLevel } from '../spec/agent.ts';
import { type Finding, findingsOf, type Surroundings } from './finding.ts';

/** What a look at agents and at what they need has shown. */
export interface SeenAgents {
  /** The defined ones, or why their definition is refused. */
  agents: ReadonlyArray<{ name: string; level: AgentLevel }> | { refused: string };
  /** Why commands cannot be confined; undefined if they can. */
  sandbox: SandboxProblem | undefined;
  /** Whether a killed gateway takes its processes with it. */
  tiesLives: boolean;
}

const { ok, note, warning, problem } = findingsOf('agents');

export function agentsFindings({ agents, sandbox, tiesLives }: SeenAgents): Finding[] {
  const untied = tiesLives
    ? []
    : [
        warning(
          'setpriv is not on PATH: a killed gateway may leave processes behind for some seconds.',
          'Install the package util-linux.',
        ),
      ];
  if ('refused' in agents) return [problem(agents.refused, 'See docs/agents.md for what an agent may be.'), ...untied];
  const inShell = agents.filter(({ level }) => level === 'shell').map(({ name }) => name);
  if (sandbox && inShell.length > 0)
    return [problem(`${inShell.join(', ')}: ${describeSandboxProblem(sandbox)}`), ...untied];
  const defined = agents.length === 0 ? 'No agent is defined' : `Agents: ${agents.map(({ name }) => name).join(', ')}`;
  if (sandbox) return [note(`${defined}; none runs commands. ${describeSandboxProblem(sandbox)}`), ...untied];
  return [ok(`${defined}. The sandbox for commands of agents works here.`), ...untied];
}

export async function checkAgents(
  { settings, operator, configFile }: Surroundings,
  claude: string,
): Promise<Finding[]> {
  const directory = createRunDirectory();
  try {
    const given = Object.fromEntries(
      Object.entries(operator).flatMap(([name, value]) => (value ? [[name, value]] : [])),
    );
    const sandbox = await checkSandbox(neutralEnvironment(given), directory);
    const tiesLives = process.platform !== 'linux' || findOnPath('setpriv', operator.PATH ?? '') !== undefined;
    return agentsFindings({ agents: definedAgents(settings, operator, claude, configFile), sandbox, tiesLives });
  } finally {
    directory.remove();
  }
}

function definedAgents(...[settings, operator, claude, configFile]: Parameters<typeof agentsOf>): SeenAgents['agents'] {
  try {
    return agentsOf(settings, operator, claude, configFile).map(({ agent: { name, level } }) => ({ name, level }));
  } catch (error) {
    if (error instanceof SettingsError) return { refused: error.message };
    throw error;
  }
}
