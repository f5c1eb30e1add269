/**
 * The environment that `claude` runs in: an allow-list of the operator's variables, then the gateway's own.
 *
 * Credentials pass through unread: the gateway looks whether a variable is set, never at its value.
 */

export type Environment = Record<string, string>;

/** What a process needs to run, and the credentials that it may find. */
const PASSED = new Set([
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'LANG',
  'TZ',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'ALL_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'all_proxy',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'SYSTEMROOT',
  'SystemRoot',
  'USERPROFILE',
  'APPDATA',
  'LOCALAPPDATA',
  'COMSPEC',
  'PATHEXT',
  'CLAUDE_CONFIG_DIR',
  'CLAUDE_CODE_OAUTH_TOKEN',
  'CLAUDE_CODE_CLIENT_CERT',
  'CLAUDE_CODE_CLIENT_KEY',
  'CLAUDE_CODE_CLIENT_KEY_PASSPHRASE',
  'CLOUD_ML_REGION',
  'GCLOUD_PROJECT',
]);
const PASSED_PREFIXES = [
  'LC_',
  'ANTHROPIC_',
  'AWS_',
  'AZURE_',
  'GOOGLE_',
  'VERTEX_REGION_',
  'CLAUDE_CODE_USE_',
  'CLAUDE_CODE_SKIP_BEDROCK_AUTH',
  'CLAUDE_CODE_SKIP_VERTEX_AUTH',
  'CLAUDE_CODE_SKIP_FOUNDRY_AUTH',
];
/** Exceptions from the prefixes: these change what is asked of the model, which is for the client to say. */
const WITHHELD = /^ANTHROPIC_(MODEL|SMALL_FAST_MODEL|DEFAULT_.*|CUSTOM_MODEL.*|BETAS)$/;

/** The gateway's own settings; each is explained in docs/decisions/0003-process-settings.md. */
const SET: Environment = {
  CLAUDE_AGENT_SDK_MCP_NO_PREFIX: '1',
  CLAUDE_CODE_BLOCKING_LIMIT_OVERRIDE: '1000000000',
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

/** `bare`: the model sees exactly the client's messages. `full`: Claude Code adds its own reminders to them. */
export type Mode = 'bare' | 'full';

export interface ProcessEnvironment {
  variables: Environment;
  mode: Mode;
  /** Set when `ANTHROPIC_BASE_URL` pointed at this gateway and was left out. */
  droppedBaseUrl: boolean;
}

export interface EnvironmentOptions {
  operator: NodeJS.ProcessEnv;
  /** Whether a URL is this gateway's own address. */
  isOwnAddress: (url: string) => boolean;
}

/** Builds the environment of every process. The values of credential variables are copied unread. */
export function buildEnvironment({ operator, isOwnAddress }: EnvironmentOptions): ProcessEnvironment {
  const variables: Environment = {};
  for (const [name, value] of Object.entries(operator))
    if (value !== undefined && isPassed(name)) variables[name] = value;
  const baseUrl = variables.ANTHROPIC_BASE_URL;
  const droppedBaseUrl = baseUrl !== undefined && isOwnAddress(baseUrl);
  if (droppedBaseUrl) delete variables.ANTHROPIC_BASE_URL;
  const mode = modeFor(variables);
  Object.assign(variables, SET);
  if (mode === 'bare') variables.CLAUDE_CODE_SIMPLE = '1';
  return { variables, mode, droppedBaseUrl };
}

/** The environment of one process: all that it writes, except its configuration, goes into a private folder. */
export function inFolder(variables: Environment, folder: string): Environment {
  return { ...variables, TMPDIR: folder, CLAUDE_CODE_TMPDIR: folder, XDG_CACHE_HOME: folder };
}

/** Claude Code's bare mode takes an API key or a bearer token, and no cloud provider. */
function modeFor(variables: Environment): Mode {
  const cloud = ['BEDROCK', 'VERTEX', 'FOUNDRY'].some((name) => isOn(variables[`CLAUDE_CODE_USE_${name}`]));
  const direct = Boolean(variables.ANTHROPIC_API_KEY || variables.ANTHROPIC_AUTH_TOKEN);
  return direct && !cloud ? 'bare' : 'full';
}

function isPassed(name: string): boolean {
  if (WITHHELD.test(name)) return false;
  return PASSED.has(name) || PASSED_PREFIXES.some((prefix) => name.startsWith(prefix));
}

/** Reads a switch as Claude Code does. */
export function isOn(value: string | undefined): boolean {
  return value !== undefined && ['1', 'true', 'yes', 'on'].includes(value.trim().toLowerCase());
}
