import type { Settings } from '@anthropic-ai/claude-agent-sdk';
import { CUSTOM_HEADERS, hasOthers } from './custom-headers.ts';
import { type Environment, OWN_VARIABLES, PROXIES, type ProcessEnvironment, STEERS } from './environment.ts';

/**
 * Variables that steer a process or pay for it. Claude Code's file `.claude.json` has an `env` block that beats the environment
 * of the process, and flag settings beat that block. So each is named there, with the operator's value or none.
 */
const STEERING = [
  ...STEERS,
  'ANTHROPIC_UNIX_SOCKET',
  'ANTHROPIC_BETAS',
  'ANTHROPIC_MODEL',
  'ANTHROPIC_SMALL_FAST_MODEL',
  'ANTHROPIC_DEFAULT_FABLE_MODEL',
  'ANTHROPIC_DEFAULT_HAIKU_MODEL',
  'ANTHROPIC_DEFAULT_OPUS_MODEL',
  'ANTHROPIC_DEFAULT_SONNET_MODEL',
  'CLAUDE_CODE_EXTRA_BODY',
  'CLAUDE_CODE_SIMPLE',
  'NODE_TLS_REJECT_UNAUTHORIZED',
];

/** Those whose value is a secret: what the operator has set is not written into a file. */
const SECRETS = [
  'ANTHROPIC_API_KEY',
  'ANTHROPIC_AUTH_TOKEN',
  CUSTOM_HEADERS,
  'CLAUDE_CODE_CLIENT_KEY_PASSPHRASE',
  'CLAUDE_CODE_OAUTH_TOKEN',
];

/** Those whose value is a secret if it has a password. */
const URLS = ['ANTHROPIC_BASE_URL', ...PROXIES];

/**
 * The user's settings that produce or refresh a credential. They go into files that only this user can read, never onto a
 * command line: a command may hold a secret.
 */
export type CredentialCommands = Pick<
  Settings,
  'apiKeyHelper' | 'awsAuthRefresh' | 'awsCredentialExport' | 'gcpAuthRefresh'
>;

/**
 * The settings that a process is spawned with; they win over all files of the user.
 *
 * @param variables of the process
 * @param requested what its first request asks for
 */
export function flagSettings(
  { isLogin }: Pick<ProcessEnvironment, 'isLogin'>,
  variables: Environment,
  requested: Environment = {},
): Settings {
  return {
    // Else a tool with the name `Bash` makes Claude Code ask the model to name itself in the user's commits.
    attribution: { commit: '', pr: '' },
    env: { ...(isLogin ? steering(variables) : {}), ...requested },
  };
}

function steering(variables: Environment): Environment {
  const unnamed = unnamedSecrets(variables);
  const names = [...STEERING, ...OWN_VARIABLES, ...SECRETS, ...URLS].filter((name) => !unnamed.includes(name));
  return Object.fromEntries(names.map((name) => [name, variables[name] ?? '']));
}

/** The variables that are set, and that no settings file names since their value is or holds a secret. */
export function unnamedSecrets(variables: Environment): string[] {
  return [
    ...SECRETS.filter((name) => (name === CUSTOM_HEADERS ? hasOthers(variables[name]) : Boolean(variables[name]))),
    ...URLS.filter((name) => canHoldPassword(variables[name])),
  ];
}

/** Whether a URL has a password, or cannot be told to have none: one without a scheme is no URL, or a wrong one. */
function canHoldPassword(value: string | undefined): boolean {
  if (!value) return false;
  return (
    !/^\w+:\/\//.test(value) || !URL.canParse(value) || Boolean(new URL(value).password || new URL(value).username)
  );
}
