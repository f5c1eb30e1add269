/** Each way to sign in that Claude Code has, over a stand-in for its API. */

/** What a request must have; `undefined`: not at all. */
export type Headers = Record<string, string | RegExp | undefined>;

/** What a gateway is started with. */
export interface Given {
  /** @param url of the scripted model */
  variables: (url: string) => Record<string, string>;
  /** The user's `settings.json`. */
  settings?: object;
  /** Whether the home has a `claude login`. */
  isLoggedIn?: true;
  /** What its processes ask the first party as they start, if the API is the first party's: HTTPS, ended on loopback. */
  questions?: string[];
}

/** A way to sign in, and what a request has that it pays for. */
export interface SignIn extends Given {
  name: string;
  credential: string;
  mode?: 'full';
  path: string;
  /** Of each request to the model. */
  headers: Headers;
  /** How many calls for one token Claude Code makes of its own accord as a process starts; else none. */
  unasked?: number;
}

const BEDROCK = { CLAUDE_CODE_USE_BEDROCK: '1', AWS_REGION: 'us-east-1' };
const MANTLE = { CLAUDE_CODE_USE_MANTLE: '1', AWS_REGION: 'us-east-1' };
const AWS = { CLAUDE_CODE_USE_ANTHROPIC_AWS: '1', AWS_REGION: 'us-east-1', ANTHROPIC_AWS_WORKSPACE_ID: 'wrkspc_1' };
const KEYS = { AWS_ACCESS_KEY_ID: 'AKDUMMY', AWS_SECRET_ACCESS_KEY: 'dummy' };
const SIGNED = /^AWS4-HMAC-SHA256 Credential=AKDUMMY\/\d{8}\/us-east-1\//;
const MESSAGES = '/v1/messages?beta=true';
const INVOKED = '/model/us.anthropic.claude-sonnet-5/invoke-with-response-stream';

export const SIGN_INS: SignIn[] = [
  {
    name: 'an API key',
    variables: (url) => ({ ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: 'dummy-key' }),
    credential: 'API key (ANTHROPIC_API_KEY)',
    path: MESSAGES,
    headers: { 'x-api-key': 'dummy-key', authorization: undefined },
  },
  {
    name: 'a bearer token',
    variables: (url) => ({ ANTHROPIC_BASE_URL: url, ANTHROPIC_AUTH_TOKEN: 'dummy-bearer' }),
    credential: 'bearer token (ANTHROPIC_AUTH_TOKEN)',
    path: MESSAGES,
    headers: { 'x-api-key': undefined, authorization: 'Bearer dummy-bearer' },
  },
  {
    name: 'a bearer token of a gateway',
    variables: (url) => ({
      CLAUDE_CODE_USE_GATEWAY: '1',
      ANTHROPIC_BASE_URL: url,
      ANTHROPIC_AUTH_TOKEN: 'dummy-bearer',
    }),
    credential: 'bearer token of a gateway (ANTHROPIC_AUTH_TOKEN)',
    path: MESSAGES,
    headers: { 'x-api-key': undefined, authorization: 'Bearer dummy-bearer' },
  },
  {
    name: 'apiKeyHelper',
    variables: (url) => ({ ANTHROPIC_BASE_URL: url }),
    settings: { apiKeyHelper: 'echo helped' },
    credential: 'API key (apiKeyHelper)',
    path: MESSAGES,
    headers: { 'x-api-key': 'helped', authorization: 'Bearer helped' },
  },
  {
    name: 'an OAuth token',
    variables: (url) => ({ ANTHROPIC_BASE_URL: url, CLAUDE_CODE_OAUTH_TOKEN: 'dummy-token' }),
    credential: 'OAuth token (CLAUDE_CODE_OAUTH_TOKEN)',
    mode: 'full',
    path: MESSAGES,
    headers: { 'x-api-key': undefined, authorization: 'Bearer dummy-token' },
  },
  {
    name: 'an OAuth token over HTTPS',
    variables: () => ({ CLAUDE_CODE_OAUTH_TOKEN: 'dummy-token' }),
    questions: ['GET /api/claude_code/policy_limits', 'GET /api/claude_code/settings'],
    credential: 'OAuth token (CLAUDE_CODE_OAUTH_TOKEN)',
    mode: 'full',
    path: MESSAGES,
    headers: { 'x-api-key': undefined, authorization: 'Bearer dummy-token' },
  },
  {
    name: 'a login',
    variables: (url) => ({ ANTHROPIC_BASE_URL: url }),
    isLoggedIn: true,
    credential: 'claude login (Claude Max)',
    mode: 'full',
    path: MESSAGES,
    headers: { 'x-api-key': undefined, authorization: 'Bearer sk-ant-oat01-dummy' },
  },
  {
    name: 'a login over HTTPS',
    variables: () => ({}),
    isLoggedIn: true,
    questions: ['GET /api/oauth/profile'],
    credential: 'claude login (Claude Max)',
    mode: 'full',
    path: MESSAGES,
    headers: { 'x-api-key': undefined, authorization: 'Bearer sk-ant-oat01-dummy' },
  },
  {
    name: 'Foundry with a key',
    variables: (url) => ({
      CLAUDE_CODE_USE_FOUNDRY: '1',
      ANTHROPIC_FOUNDRY_BASE_URL: `${url}/anthropic`,
      ANTHROPIC_FOUNDRY_API_KEY: 'dummy-key',
    }),
    credential: 'Microsoft Foundry (CLAUDE_CODE_USE_FOUNDRY)',
    path: `/anthropic${MESSAGES}`,
    headers: { 'x-api-key': 'dummy-key' },
  },
  {
    name: 'Foundry without authentication',
    variables: (url) => ({
      CLAUDE_CODE_USE_FOUNDRY: '1',
      ANTHROPIC_FOUNDRY_BASE_URL: url,
      CLAUDE_CODE_SKIP_FOUNDRY_AUTH: '1',
    }),
    credential: 'Microsoft Foundry (CLAUDE_CODE_USE_FOUNDRY)',
    path: MESSAGES,
    headers: { 'x-api-key': undefined, authorization: 'Bearer skip-foundry-auth' },
  },
  {
    name: 'Vertex AI without authentication',
    variables: (url) => ({
      CLAUDE_CODE_USE_VERTEX: '1',
      ANTHROPIC_VERTEX_BASE_URL: `${url}/v1`,
      ANTHROPIC_VERTEX_PROJECT_ID: 'P',
      CLOUD_ML_REGION: 'europe-west1',
      CLAUDE_CODE_SKIP_VERTEX_AUTH: '1',
    }),
    credential: 'Google Vertex AI (CLAUDE_CODE_USE_VERTEX)',
    path: '/v1/projects/P/locations/europe-west1/publishers/anthropic/models/claude-sonnet-5:streamRawPredict',
    headers: { 'x-api-key': undefined },
  },
  {
    name: 'Bedrock with a bearer token',
    variables: (url) => ({ ...BEDROCK, ANTHROPIC_BEDROCK_BASE_URL: url, AWS_BEARER_TOKEN_BEDROCK: 'dummy-bearer' }),
    credential: 'Amazon Bedrock (CLAUDE_CODE_USE_BEDROCK)',
    path: INVOKED,
    unasked: 3,
    headers: { authorization: 'Bearer dummy-bearer' },
  },
  {
    name: 'Bedrock with keys',
    variables: (url) => ({ ...BEDROCK, ...KEYS, ANTHROPIC_BEDROCK_BASE_URL: url }),
    credential: 'Amazon Bedrock (CLAUDE_CODE_USE_BEDROCK)',
    path: INVOKED,
    unasked: 3,
    headers: { authorization: SIGNED },
  },
  {
    name: 'Bedrock without authentication',
    variables: (url) => ({ ...BEDROCK, ANTHROPIC_BEDROCK_BASE_URL: url, CLAUDE_CODE_SKIP_BEDROCK_AUTH: '1' }),
    credential: 'Amazon Bedrock (CLAUDE_CODE_USE_BEDROCK)',
    path: INVOKED,
    headers: { authorization: undefined },
  },
  {
    name: 'Bedrock with keys of awsCredentialExport',
    variables: (url) => ({ ...BEDROCK, ANTHROPIC_BEDROCK_BASE_URL: url }),
    settings: {
      awsCredentialExport: `echo '${JSON.stringify({ Credentials: { AccessKeyId: 'AKDUMMY', SecretAccessKey: 's', SessionToken: 't' } })}'`,
    },
    credential: 'Amazon Bedrock (CLAUDE_CODE_USE_BEDROCK)',
    path: INVOKED,
    unasked: 3,
    headers: { authorization: SIGNED },
  },
  {
    name: 'Bedrock with keys that awsAuthRefresh has got',
    variables: (url) => ({ ...BEDROCK, ANTHROPIC_BEDROCK_BASE_URL: url }),
    settings: {
      awsAuthRefresh:
        'mkdir -p "$HOME/.aws" && printf "[default]\\naws_access_key_id=AKDUMMY\\naws_secret_access_key=s\\n" > "$HOME/.aws/credentials"',
    },
    credential: 'Amazon Bedrock (CLAUDE_CODE_USE_BEDROCK)',
    path: INVOKED,
    unasked: 3,
    headers: { authorization: SIGNED },
  },
  {
    name: 'Mantle with a bearer token',
    variables: (url) => ({
      ...MANTLE,
      ANTHROPIC_BEDROCK_MANTLE_BASE_URL: url,
      AWS_BEARER_TOKEN_BEDROCK: 'dummy-bearer',
    }),
    credential: 'Amazon Bedrock (Mantle) (CLAUDE_CODE_USE_MANTLE)',
    path: MESSAGES,
    unasked: 1,
    headers: { authorization: 'Bearer dummy-bearer' },
  },
  {
    name: 'Claude Platform on AWS with a key',
    variables: (url) => ({ ...AWS, ANTHROPIC_AWS_BASE_URL: url, ANTHROPIC_AWS_API_KEY: 'dummy-key' }),
    credential: 'Claude Platform on AWS (CLAUDE_CODE_USE_ANTHROPIC_AWS)',
    path: MESSAGES,
    headers: { 'x-api-key': 'dummy-key', 'anthropic-workspace-id': 'wrkspc_1' },
  },
  {
    name: 'Claude Platform on AWS with keys',
    variables: (url) => ({ ...AWS, ...KEYS, ANTHROPIC_AWS_BASE_URL: url }),
    credential: 'Claude Platform on AWS (CLAUDE_CODE_USE_ANTHROPIC_AWS)',
    path: MESSAGES,
    headers: { authorization: SIGNED },
  },
  {
    name: 'Claude Platform on Google Cloud without authentication',
    variables: (url) => ({
      CLAUDE_CODE_USE_ANTHROPIC_GOOGLE_CLOUD: '1',
      ANTHROPIC_GOOGLE_CLOUD_BASE_URL: url,
      ANTHROPIC_GOOGLE_CLOUD_PROJECT: 'P',
      ANTHROPIC_GOOGLE_CLOUD_WORKSPACE_ID: 'wrkspc_1',
      CLAUDE_CODE_SKIP_ANTHROPIC_GOOGLE_CLOUD_AUTH: '1',
    }),
    credential: 'Claude Platform on Google Cloud (CLAUDE_CODE_USE_ANTHROPIC_GOOGLE_CLOUD)',
    path: MESSAGES,
    headers: { 'x-api-key': undefined },
  },
];
