import { hash } from 'node:crypto';
import { resolve } from 'node:path';
import { agentDefinition, type CheckedDefinition } from '../config/agent-definition.ts';
import { withVariables } from '../config/operator-variables.ts';
import type { Settings } from '../config/settings.ts';
import { SettingsError } from '../config/settings-error.ts';
import type { Agent, AgentMcpServer, Subagent } from '../spec/agent.ts';
import { nameProblem } from './agent-names.ts';
import { writeOut } from './deny-rules.ts';
import { type GuardedFolders, programWithin, realWorkspace, replaceable } from './workspaces.ts';

/** Whom an agent answers. */
export interface AgentAccess {
  /** SHA-256 of the key that a client must bring; absent for an agent without a key. */
  keyDigest?: Buffer;
  /** The origins of web pages that may ask it, in lower case. */
  origins: readonly string[];
}

/** An agent, and whom it answers. */
export interface DefinedAgent {
  agent: Agent;
  access: AgentAccess;
}

/** What the definitions are checked against. */
export interface Surroundings {
  /** The operator's environment, for the variables that definitions name. */
  variables: Readonly<Record<string, string | undefined>>;
  guarded: GuardedFolders;
  /** What Isthmus runs, or is: files and folders. */
  programs: readonly string[];
  /** Whether others than this machine can reach the gateway. */
  isReachable: boolean;
}

type AgentSettings = Pick<Settings, 'agents' | 'agentLevel' | 'workspace'>;

/** The name of the agent that `--agent-level` and `--workspace` define. */
const FLAGS_NAME = 'agent';

/** A key that is shorter can be guessed. */
const SHORTEST_KEY = 16;

/**
 * The agents of the settings.
 *
 * @throws SettingsError which names the path, such as `agents.docs.key`, and the cure
 */
export function defineAgents(settings: AgentSettings, surroundings: Surroundings): DefinedAgent[] {
  const defined = Object.entries(withFlags(settings)).map(([name, definition]) => {
    const path = `agents.${name}`;
    const problem = nameProblem(name);
    if (problem) throw new SettingsError(`agents: ${JSON.stringify(name)} ${problem}.`);
    return defineAgent(name, definition, path, surroundings);
  });
  const found = replaceable(defined.map(({ agent }) => agent));
  if (found) {
    const { outer, inner } = found;
    throw new SettingsError(
      `agents.${outer.name}.workspace is ${outer.workspace}, and an agent that writes there could replace ${inner.workspace}, where the agent ${inner.name} works. Give both the same folder or folders side by side, or ${outer.name} the level read.`,
    );
  }
  return defined;
}

function withFlags({ agents, agentLevel, workspace }: AgentSettings): Record<string, CheckedDefinition> {
  if (agentLevel === undefined && workspace === undefined) return agents;
  if (agentLevel === undefined) {
    throw new SettingsError('workspace needs agent-level too: --agent-level read --workspace DIR.');
  }
  if (workspace === undefined) {
    throw new SettingsError(`agent-level needs workspace too: --agent-level ${agentLevel} --workspace DIR.`);
  }
  if (Object.hasOwn(agents, FLAGS_NAME)) {
    throw new SettingsError(
      `agents.${FLAGS_NAME} is defined by agent-level and workspace, too. Leave those out, or give the one in the configuration file another name.`,
    );
  }
  return { ...agents, [FLAGS_NAME]: agentDefinition.parse({ level: agentLevel, workspace: resolve(workspace) }) };
}

function defineAgent(
  name: string,
  given: CheckedDefinition,
  path: string,
  { variables, guarded, programs, isReachable }: Surroundings,
): DefinedAgent {
  const { level, system, preset, claudeMd, allowedHosts, maxTurns, maxSeconds, showSteps, model, maxBudgetUsd } = given;
  const found = realWorkspace(given.workspace, guarded);
  if ('problem' in found) throw new SettingsError(`${path}.workspace ${found.problem}.`);
  const program = level === 'read' ? undefined : programWithin(found.path, programs);
  if (program !== undefined) {
    throw new SettingsError(
      `${path}.workspace is ${found.path}, and an agent that writes there could replace ${program}, which Isthmus runs. Name another folder, or use the level read.`,
    );
  }
  if (level !== 'shell' && allowedHosts.length > 0) {
    throw new SettingsError(`${path}.allowedHosts is for commands, which only the level shell runs. Leave it out.`);
  }
  const keyDigest = keyDigestOf(given.key, `${path}.key`, variables);
  if (isReachable && keyDigest === undefined) {
    throw new SettingsError(
      `${path} needs a key, since others than this machine can reach Isthmus: "key": "$${name.toUpperCase().replaceAll('-', '_')}_KEY", and that variable in its environment. Or let none in: --host 127.0.0.1, and no name of another machine in --allowed-hosts.`,
    );
  }
  return {
    agent: {
      name,
      level,
      workspace: found.path,
      ...(model !== undefined && { model }),
      system,
      usesPreset: preset,
      readsClaudeMd: claudeMd,
      deny: writeOut(given.deny, `${path}.deny`),
      allowedHosts,
      mcpServers: mapped(given.mcpServers, (server, key) => mcpServer(server, `${path}.mcpServers.${key}`, variables)),
      subagents: mapped(given.subagents, subagent),
      maxTurns,
      maxSeconds,
      ...(maxBudgetUsd !== undefined && { maxBudgetUsd }),
      showSteps,
    },
    access: {
      ...(keyDigest && { keyDigest }),
      origins: given.origins.map((origin) => origin.toLowerCase()),
    },
  };
}

function keyDigestOf(
  given: string | undefined,
  path: string,
  variables: Surroundings['variables'],
): Buffer | undefined {
  if (given === undefined) return undefined;
  const key = withVariables(given, path, variables);
  if (key.length < SHORTEST_KEY || /[^!-~]/.test(key)) {
    throw new SettingsError(
      `${path} must have at least ${SHORTEST_KEY} printable ASCII characters without spaces. \`openssl rand -hex 24\` makes a good one.`,
    );
  }
  return hash('sha256', key, 'buffer');
}

function mcpServer(
  given: CheckedDefinition['mcpServers'][string],
  path: string,
  variables: Surroundings['variables'],
): AgentMcpServer {
  const filled = (values: Record<string, string>, part: string) =>
    mapped(values, (value, key) => withVariables(value, `${path}.${part}.${key}`, variables));
  if (given.type === 'http' || given.type === 'sse') {
    return { type: given.type, url: given.url, headers: filled(given.headers, 'headers') };
  }
  return { type: 'stdio', command: given.command, args: given.args, env: filled(given.env, 'env') };
}

function subagent({ description, prompt, tools, model }: CheckedDefinition['subagents'][string]): Subagent {
  return { description, prompt, ...(tools && { tools }), ...(model !== undefined && { model }) };
}

function mapped<Given, Made>(
  entries: Readonly<Record<string, Given>>,
  make: (given: Given, key: string) => Made,
): Record<string, Made> {
  return Object.fromEntries(Object.entries(entries).map(([key, given]) => [key, make(given, key)]));
}
