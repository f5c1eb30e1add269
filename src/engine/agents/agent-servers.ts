import type { McpServerConfig } from '@anthropic-ai/claude-agent-sdk';
import type { Agent } from '../../spec/agent.ts';
import type { Environment } from '../environment/environment.ts';
import { withoutCredentials } from './agent-environment.ts';

/**
 * The operator's servers of tools in the SDK's form. They run beside the fences. One that is run here inherits the environment
 * of its process, without what may hold a credential; what the operator gives it stands.
 */
export function agentServers({ mcpServers }: Agent, variables: Environment): Record<string, McpServerConfig> {
  const blanked = withoutCredentials(variables);
  return Object.fromEntries(
    Object.entries(mcpServers).map(([name, server]): [string, McpServerConfig] => {
      if (server.type !== 'stdio') return [name, { ...server, headers: { ...server.headers } }];
      return [name, { ...server, args: [...server.args], env: { ...blanked, ...server.env } }];
    }),
  );
}
