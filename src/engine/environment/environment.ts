/**
 * The environment that `claude` runs in: an allow-list of the operator's variables, then the gateway's own.
 *
 * Credentials pass through unread: the gateway looks whether a variable is set, never at its value. (But for one that is no
 * credential: the key that a client of this gateway has.)
 */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { CLIENT_KEY } from '../../spec/client-key.ts';
import { CUSTOM_HEADERS, withVia } from './custom-headers.ts';
import { PROVIDERS, usesProvider } from './providers.ts';

export type Environment = Record<string, string>;

/** What any process needs to run. */
const BASIC = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'LANG',
  'TZ',
  'SYSTEMROOT',
  'SystemRoot',
  'USERPROFILE',
  'APPDATA',
  'LOCALAPPDATA',
  'COMSPEC',
  'PATHEXT',
];
const inBothCases = (name: string) => [name, name.toLowerCase()];
/** The variables with the URL of a proxy. */
export const PROXIES: readonly string[] = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'].flatMap(inBothCases);
/** The variables with the hosts that no proxy is asked for. */
export const PROXY_EXCEPTIONS: readonly string[] = inBothCases('NO_PROXY');
const LOCALE_PREFIX = 'LC_';

/** Who pays, and the way to the model; more do so by {@link STEERING_PREFIXES}. */
export const STEERS: readonly string[] = [
  ...PROXIES,
  ...PROXY_EXCEPTIONS,
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'CLAUDE_CODE_OAUTH_TOKEN',
  'CLAUDE_CODE_API_KEY_HELPER_TTL_MS',
  'CLAUDE_CODE_CLIENT_CERT',
  'CLAUDE_CODE_CLIENT_KEY',
  'CLAUDE_CODE_CLIENT_KEY_PASSPHRASE',
  'CLOUD_ML_REGION',
  'CLOUDSDK_CONFIG',
  'GCLOUD_PROJECT',
  ...Object.values(PROVIDERS).flatMap(({ switch: on, skipsAuth }) => (skipsAuth ? [on, skipsAuth] : [on])),
];
const STEERING_PREFIXES = ['ANTHROPIC_', 'AWS_', 'AZURE_', 'GOOGLE_', 'VERTEX_REGION_'];
/** Exceptions from the prefixes: these change what is asked of the model, which is for the client to say. */
const WITHHELD = /^ANTHROPIC_(MODEL|SMALL_FAST_MODEL|DEFAULT_.*|CUSTOM_MODEL.*|BETAS)$/;

/** The gateway's own settings; each is explained in docs/decisions/0003-process-settings.md. */
const SET: Environment = {
  CLAUDE_AGENT_SDK_MCP_NO_PREFIX: '1',
  CLAUDE_CODE_BLOCKING_LIMIT_OVERRIDE: '1000000000',
  CLAUDE_CODE_DISABLE_ATTACHMENTS: '1',
  CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS: '1',
  CLAUDE_CODE_DISABLE_LEGACY_MODEL_REMAP: '1',
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK: '1',
  CLAUDE_CODE_DISABLE_REFUSAL_FALLBACK: '1',
  CLAUDE_CODE_DISABLE_REFUSAL_RETRY: '1',
  CLAUDE_CODE_EFFORT_LEVEL: 'auto',
  CLAUDE_CODE_SKIP_MCP_DEBUG_LOG_FILES: '1',
  CLAUDE_CODE_TOTAL_TOKENS_REMINDER: 'off',
  DISABLE_AUTO_COMPACT: '1',
  DISABLE_AUTOUPDATER: '1',
  ENABLE_TOOL_SEARCH: 'false',
};

/** The names of the gateway's own settings. */
export const OWN_VARIABLES: readonly string[] = Object.keys(SET);

/** Claude Code's own modes. In `bare` it announces nothing to the model; in `full` we silence it, see `engine/announcements`. */
export type Mode = 'bare' | 'full';

export interface ProcessEnvironment {
  variables: Environment;
  mode: Mode;
  /** Whether the credential is the user's `claude login`, which lives in the user's own configuration. */
  isLogin: boolean;
  /**
   * What was left out since it is a client's: `ANTHROPIC_BASE_URL` that pointed at this gateway, and the key beside it. Claude
   * Code gives both to what is started in it.
   */
  ofClient: string[];
  /** This gateway's own id. */
  id: string;
}

export interface EnvironmentOptions {
  operator: NodeJS.ProcessEnv;
  /** This gateway's own id. */
  id: string;
  /** Whether a URL is this gateway's own address. */
  isOwnAddress: (url: string) => boolean;
  /** Whether the processes get a setting `apiKeyHelper`. */
  hasKeyHelper?: boolean;
}

/** Builds the environment of every process. The values of credential variables are copied unread. */
export function buildEnvironment({
  operator,
  id,
  isOwnAddress,
  hasKeyHelper = false,
}: EnvironmentOptions): ProcessEnvironment {
  const variables: Environment = {};
  for (const [name, value] of Object.entries(operator))
    if (value !== undefined && isPassed(name)) variables[name] = value;
  // Claude Code and the SDK do not agree on what an empty one means.
  if (variables.CLAUDE_CONFIG_DIR === '') delete variables.CLAUDE_CONFIG_DIR;
  const ofClient = variablesOfClient(variables, isOwnAddress);
  for (const name of ofClient) delete variables[name];
  const mode = modeFor(variables, hasKeyHelper);
  const isLogin = mode === 'full' && !variables.CLAUDE_CODE_OAUTH_TOKEN;
  Object.assign(variables, SET);
  variables[CUSTOM_HEADERS] = withVia(variables[CUSTOM_HEADERS], [id]);
  if (mode === 'bare') variables.CLAUDE_CODE_SIMPLE = '1';
  return { variables, mode, isLogin, ofClient, id };
}

/** The variables that point a client at this gateway, of those that are set. */
export function variablesOfClient(
  variables: Readonly<Record<string, unknown>>,
  isOwnAddress: (url: string) => boolean,
): string[] {
  const { ANTHROPIC_BASE_URL: url } = variables;
  if (typeof url !== 'string' || !isOwnAddress(url)) return [];
  const keys = ['ANTHROPIC_AUTH_TOKEN', 'ANTHROPIC_API_KEY'].filter((name) => variables[name] === CLIENT_KEY);
  return ['ANTHROPIC_BASE_URL', ...keys];
}

/** Where a process with these variables finds Claude Code's configuration. */
export function configurationFolder(variables: Readonly<Record<string, string | undefined>>): string {
  const { CLAUDE_CONFIG_DIR, HOME, USERPROFILE } = variables;
  return CLAUDE_CONFIG_DIR || join(HOME || USERPROFILE || homedir(), '.claude');
}

/** The environment of a process that can reach nobody and has no credential. */
export function neutralEnvironment(variables: Environment): Environment {
  const names = [
    ...BASIC,
    ...Object.keys(variables).filter((name) => name.startsWith(LOCALE_PREFIX)),
    ...OWN_VARIABLES,
  ];
  return Object.fromEntries(names.flatMap((name) => (variables[name] === undefined ? [] : [[name, variables[name]]])));
}

/** The variables that lead all that a process sends to one address on loopback. */
export function ledTo(url: string): Environment {
  const proxies = PROXIES.map((name) => [name, url]);
  const exceptions = PROXY_EXCEPTIONS.map((name) => [name, '127.0.0.1']);
  return { ANTHROPIC_BASE_URL: url, ...Object.fromEntries([...proxies, ...exceptions]) };
}

/** The environment of one process: all that it writes, except its configuration, goes into a private folder. */
export function inFolder(variables: Environment, folder: string): Environment {
  return { ...variables, TMPDIR: folder, CLAUDE_CODE_TMPDIR: folder, XDG_CACHE_HOME: folder };
}

/** Claude Code's bare mode takes any credential but an OAuth token and a sign-in. */
function modeFor(variables: Environment, hasKeyHelper: boolean): Mode {
  const isBare =
    variables.ANTHROPIC_API_KEY || variables.ANTHROPIC_AUTH_TOKEN || hasKeyHelper || usesProvider(variables);
  return isBare ? 'bare' : 'full';
}

/** Whether processes with these variables call Anthropic's own API. */
export function usesAnthropicApi(variables: Environment): boolean {
  return !variables.ANTHROPIC_BASE_URL && !usesProvider(variables);
}

function isPassed(name: string): boolean {
  return BASIC.includes(name) || name === 'CLAUDE_CONFIG_DIR' || name.startsWith(LOCALE_PREFIX) || steers(name);
}

/** Whether a variable says who pays, or which way a call takes. */
export function steers(name: string): boolean {
  if (WITHHELD.test(name)) return false;
  return STEERS.includes(name) || STEERING_PREFIXES.some((prefix) => name.startsWith(prefix));
}
