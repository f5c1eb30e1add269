import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Settings } from '@anthropic-ai/claude-agent-sdk';
import type { Agent } from '../../spec/agent.ts';
import type { Environment } from '../environment/environment.ts';
import { hiddenVariables } from './agent-environment.ts';

/**
 * What a command may read beside its workspace: programs, their libraries, and what they look up. Not all of `/etc/ssl`, which has the
 * machine's private keys.
 */
const READABLE = [
  '/usr',
  '/lib',
  '/lib32',
  '/lib64',
  '/bin',
  '/sbin',
  '/etc/ld.so.cache',
  '/etc/alternatives',
  '/etc/ssl/certs',
  '/etc/ssl/openssl.cnf',
];

/**
 * The fences of an agent as settings of its process. They belong into the file that it is spawned with: deny rules and hosts
 * are nobody else's business, and a command line is limited in length.
 *
 * @param variables of the process
 * @param scratch the only folder beside the workspace that commands may write into
 */
export function agentSettings(agent: Agent, variables: Environment, scratch: string): Settings {
  const { level, workspace, deny, readsClaudeMd } = agent;
  return {
    autoMemoryEnabled: false,
    permissions: {
      blockReadsOutsideWorkingDirectories: true,
      blockWritesOutsideWorkingDirectories: true,
      denyInsteadOfPrompting: true,
      disableBypassPermissionsMode: 'disable',
      deny: level === 'shell' ? deny.flatMap(forCommands) : [...deny],
    },
    ...(readsClaudeMd ? { claudeMdExcludes: instructionsAbove(workspace) } : {}),
    ...(level === 'shell' ? { sandbox: sandboxOf(agent, variables, scratch) } : {}),
  };
}

/**
 * A deny rule as it holds for commands too: of one for files in any folder, `Edit(**\/package.json)`, the sandbox knows nothing, but
 * it keeps commands from the file at the top if that is named.
 */
function forCommands(rule: string): string[] {
  const [, named] = /^Edit\(\*\*\/([^*?[\]{}]+(?:\/\*\*)?)\)$/.exec(rule) ?? [];
  return named === undefined ? [rule] : [rule, `Edit(${named})`];
}

function sandboxOf(
  { workspace, allowedHosts }: Agent,
  variables: Environment,
  scratch: string,
): NonNullable<Settings['sandbox']> {
  return {
    enabled: true,
    // In a settings file it is not the default: commands would run without a sandbox, and a warning would say so.
    failIfUnavailable: true,
    autoAllowBashIfSandboxed: true,
    allowUnsandboxedCommands: false,
    network: { strictAllowlist: true, allowedDomains: [...allowedHosts] },
    filesystem: { denyRead: ['/'], allowRead: [workspace, scratch, ...READABLE.filter((path) => existsSync(path))] },
    credentials: { envVars: hiddenVariables(variables).map((name) => ({ name, mode: 'deny' as const })) },
  };
}

/** The instructions in the folders above, which Claude Code would read too. */
function instructionsAbove(workspace: string): string[] {
  const found: string[] = [];
  for (let folder = dirname(workspace); ; folder = dirname(folder)) {
    for (const name of ['CLAUDE.md', 'CLAUDE.local.md', '.claude/**']) found.push(join(folder, name));
    if (folder === dirname(folder)) return found;
  }
}
