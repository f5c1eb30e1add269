import type { Agent, Subagent } from '../../spec/agent.ts';
import type { Environment } from '../environment/environment.ts';
import type { ProcessProfile } from '../process/profile.ts';
import { agentServers } from './agent-servers.ts';
import { LEVELS } from './levels.ts';
import { SUBAGENT_TOOL, toDefinitions } from './subagents.ts';

/**
 * The profile of a process of an agent: the SDK's own tools in its workspace, behind the SDK's own fences. The other half of
 * them are settings, see {@link agentSettings}.
 *
 * @param environment from {@link agentEnvironment}
 * @param subagents the agent's own, and those of the request
 * @param emptyFolder in place of the workspace's configuration, of which nothing is read
 */
export function agentProfile(
  agent: Agent,
  environment: Environment,
  subagents: Readonly<Record<string, Subagent>>,
  emptyFolder: string,
): ProcessProfile {
  const { tools, permissionMode, allowedTools } = LEVELS[agent.level];
  const servers = Object.keys(agent.mcpServers);
  const hasSubagents = Object.keys(subagents).length > 0;
  return {
    tools: [...tools, ...(hasSubagents ? [SUBAGENT_TOOL] : [])],
    permissionMode,
    allowedTools: [...allowedTools, ...servers.map((name) => `mcp__${name}`)],
    workingDirectory: agent.workspace,
    environment,
    settingSources: agent.readsClaudeMd ? ['project'] : [],
    ...(agent.readsClaudeMd ? { projectConfigRoot: emptyFolder } : {}),
    usesPreset: agent.usesPreset,
    maxTurns: agent.maxTurns,
    ...(agent.maxBudgetUsd === undefined ? {} : { maxBudgetUsd: agent.maxBudgetUsd }),
    ...(hasSubagents ? { agents: toDefinitions(subagents, tools, agent.maxTurns) } : {}),
    ...(servers.length > 0 ? { mcpServers: agentServers(agent, environment) } : {}),
  };
}
