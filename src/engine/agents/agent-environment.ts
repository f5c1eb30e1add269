import type { Agent } from '../../spec/agent.ts';
import { type Environment, PROXIES, PROXY_EXCEPTIONS, steers } from '../environment/environment.ts';

/** How long a command may run that asks for no time of its own, in milliseconds. */
const COMMAND_MS = 120_000;

/** Of an agent's processes alone; docs/decisions/0012 says why each is there. */
const SET: Environment = {
  CLAUDE_AGENT_SDK_DISABLE_BUILTIN_AGENTS: '1',
  CLAUDE_CODE_DISABLE_AUTO_MEMORY: '1',
  CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: '1',
  CLAUDE_CODE_FORK_SUBAGENT: '0',
  CLAUDE_CODE_MAX_SUBAGENT_SPAWN_DEPTH: '1',
};

/** What keeps the client's view clean, and would keep from an agent what it needs. */
const WITHOUT = ['CLAUDE_AGENT_SDK_MCP_NO_PREFIX', 'CLAUDE_CODE_DISABLE_ATTACHMENTS', 'CLAUDE_CODE_SIMPLE'];

/** With these Claude Code tells its children where it can be talked to. */
const MESSAGING = ['CLAUDE_CODE_MESSAGING_SOCKET', 'CLAUDE_CODE_MESSAGING_TOKEN'];

/** The way to the model, without who pays: an MCP server may need it. */
const WAYS = new Set([...PROXIES, ...PROXY_EXCEPTIONS, 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR']);

/**
 * The environment of an agent's process.
 *
 * @param variables of the processes that have the client's tools
 */
export function agentEnvironment(variables: Environment, { maxSeconds }: Pick<Agent, 'maxSeconds'>): Environment {
  const kept = Object.entries(variables).filter(([name]) => !WITHOUT.includes(name));
  const longest = maxSeconds * 1000;
  return {
    ...Object.fromEntries(kept),
    ...SET,
    BASH_DEFAULT_TIMEOUT_MS: String(Math.min(COMMAND_MS, longest)),
    BASH_MAX_TIMEOUT_MS: String(longest),
  };
}

/** The variables that no command may see: each may hold a credential, or lead to one. */
export function hiddenVariables(variables: Environment): string[] {
  return [...Object.keys(variables).filter(steers), ...MESSAGING];
}

/** Each variable that may hold a credential, emptied: for a server that inherits the environment of its process. */
export function withoutCredentials(variables: Environment): Environment {
  const names = hiddenVariables(variables).filter((name) => !WAYS.has(name));
  return Object.fromEntries(names.map((name) => [name, '']));
}
