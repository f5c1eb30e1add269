import { symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { findExecutable } from '../../src/engine/environment/executable.ts';
import type { HostileFiles } from './hostile-files.ts';

/** A client as a user has it on PATH, with settings that lead it elsewhere. */
export interface LaunchedClient {
  /** As `isthmus launch` knows it. */
  name: string;
  /** Puts its program into a folder of PATH. */
  install(folder: string): void;
  /** Variables that keep it from the network, and others that lead it elsewhere. */
  variables(elsewhere: string): Record<string, string>;
  /** Settings of its user that lead it to another server. */
  hostile(elsewhere: string): HostileFiles;
  /** Arguments for one turn with this prompt, without a terminal. */
  turn(prompt: string): string[];
  /** Arguments that it refuses, so that it fails at once. */
  refused: string[];
  /** Whether it is walked every day; so it is, unless this is false: it has a twin, which is. */
  isEveryday?: boolean;
}

const variablesTo = (elsewhere: string) => ({
  ANTHROPIC_BASE_URL: elsewhere,
  ANTHROPIC_API_KEY: 'theirs',
  OPENAI_BASE_URL: `${elsewhere}/v1`,
  OPENAI_API_KEY: 'theirs',
});

const openCodeConfiguration = (elsewhere: string, plugin: string[] = []) => {
  const options = { baseURL: `${elsewhere}/v1`, apiKey: 'theirs' };
  return JSON.stringify({
    // It writes this into a file without it.
    $schema: 'https://opencode.ai/config.json',
    plugin,
    model: 'openai/gpt-5',
    small_model: 'openai/gpt-5',
    enabled_providers: ['openai'],
    disabled_providers: ['anthropic'],
    agent: { build: { model: 'openai/gpt-5' }, title: { model: 'openai/gpt-5' } },
    permission: 'allow',
    provider: {
      openai: { options, whitelist: ['gpt-5'] },
      'openai-compatible': { options, whitelist: ['gpt-5'] },
      anthropic: {
        npm: '@ai-sdk/openai-compatible',
        api: options.baseURL,
        options: { ...options, authToken: 'theirs' },
        whitelist: ['claude-opus-4-5'],
        models: { 'claude-sonnet-5': { provider: { npm: '@ai-sdk/openai-compatible', api: options.baseURL } } },
      },
    },
  });
};

export const openCode: LaunchedClient = {
  name: 'opencode',
  install: (folder) => symlinkSync(installed('OPENCODE'), join(folder, 'opencode')),
  variables: (elsewhere) => ({
    ...variablesTo(elsewhere),
    OPENCODE_DISABLE_AUTOUPDATE: '1',
    OPENCODE_DISABLE_MODELS_FETCH: '1',
    OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
    OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
    npm_config_offline: 'true',
    OMO_SEND_ANONYMOUS_TELEMETRY: '0',
  }),
  hostile: (elsewhere) => ({
    home: {
      '.config/opencode/opencode.json': openCodeConfiguration(elsewhere),
      '.local/share/opencode/auth.json': JSON.stringify({ anthropic: { type: 'api', key: 'theirs' } }),
    },
    project: { 'opencode.json': openCodeConfiguration(elsewhere) },
  }),
  turn: (prompt) => ['run', prompt],
  refused: ['run', '--no-such-flag'],
};

const ohMyOpenCode: LaunchedClient = {
  ...openCode,
  name: 'oh-my-opencode',
  hostile(elsewhere) {
    const plugin = join(installed('OH_MY_OPENCODE'), 'node_modules', 'oh-my-opencode', 'dist', 'index.js');
    const agents = { sisyphus: { model: 'openai/gpt-5' }, explore: { model: 'openai/gpt-5' } };
    // It moves files of older forms.
    const _migrations = ['2026-07-opencode-config-unification', '2026-08-reasoning-unification'];
    const own = JSON.stringify({ '[opencode]': { agents }, _migrations });
    const { home } = openCode.hostile(elsewhere);
    return {
      home: { ...home, '.omo/omo.jsonc': own },
      project: {
        'opencode.json': openCodeConfiguration(elsewhere, [pathToFileURL(plugin).href]),
        '.omo/omo.jsonc': own,
      },
    };
  },
};

const claudeCode: LaunchedClient = {
  name: 'claude-code',
  install: (folder) => symlinkSync(findExecutable(undefined).path, join(folder, 'claude')),
  variables: variablesTo,
  hostile(elsewhere) {
    const text = JSON.stringify({
      apiKeyHelper: 'echo theirs',
      env: {
        ...variablesTo(elsewhere),
        ANTHROPIC_AUTH_TOKEN: 'theirs',
        CLAUDE_CODE_USE_BEDROCK: '1',
        ANTHROPIC_BEDROCK_BASE_URL: elsewhere,
        AWS_BEARER_TOKEN_BEDROCK: 'theirs',
        AWS_REGION: 'us-east-1',
      },
    });
    return {
      home: { '.claude/settings.json': text },
      project: { '.claude/settings.json': text, '.claude/settings.local.json': text },
    };
  },
  turn: (prompt) => ['-p', prompt],
  refused: ['--no-such-flag'],
};

export const qwenCode: LaunchedClient = {
  name: 'qwen-code',
  install: (folder) => installScript(join(folder, 'qwen'), installed('QWEN_CODE'), '@qwen-code/qwen-code/cli-entry.js'),
  variables: variablesTo,
  hostile(elsewhere) {
    const models = [
      { id: 'claude-sonnet-5', baseUrl: elsewhere, envKey: 'ANTHROPIC_API_KEY' },
      { id: 'theirs', baseUrl: elsewhere, envKey: 'ANTHROPIC_API_KEY' },
    ];
    const settings = {
      env: variablesTo(elsewhere),
      model: { name: 'theirs' },
      security: { auth: { selectedType: 'openai', apiKey: 'theirs', baseUrl: elsewhere } },
      modelProviders: { anthropic: models, openai: models },
      // It rewrites a file of an older version.
      $version: 4,
    };
    const text = JSON.stringify(settings, null, 2);
    const variables = `ANTHROPIC_BASE_URL=${elsewhere}\nANTHROPIC_API_KEY=theirs\nANTHROPIC_MODEL=theirs\n`;
    return {
      home: { '.qwen/settings.json': text },
      project: { '.qwen/settings.json': text, '.qwen/.env': variables, '.env': variables },
    };
  },
  turn: (prompt) => [prompt],
  refused: ['--no-such-flag'],
};

export const pi: LaunchedClient = {
  name: 'pi',
  install: (folder) =>
    installScript(join(folder, 'pi'), installed('PI'), '@earendil-works/pi-coding-agent/dist/bundle/cli.js'),
  variables: (elsewhere) => ({ ...variablesTo(elsewhere), PI_OFFLINE: '1' }),
  hostile(elsewhere) {
    const settings = JSON.stringify({ defaultProvider: 'openai', defaultModel: 'gpt-5' });
    const provider = { baseUrl: elsewhere, apiKey: 'theirs' };
    const models = [{ id: 'claude-sonnet-5', baseUrl: elsewhere }];
    return {
      home: {
        '.pi/agent/settings.json': settings,
        '.pi/agent/models.json': JSON.stringify({
          providers: { anthropic: { ...provider, models }, openai: provider },
        }),
        '.pi/agent/auth.json': JSON.stringify({ anthropic: { type: 'api_key', key: 'theirs' } }),
        '.pi/agent/extensions/theirs.js': `export default (pi) => pi.registerProvider('anthropic', ${JSON.stringify(provider)});`,
      },
      project: { '.pi/settings.json': settings },
    };
  },
  turn: (prompt) => ['-p', prompt],
  refused: ['--no-such-flag', '-p', 'Nothing.'],
};

export const cline: LaunchedClient = {
  name: 'cline',
  install: (folder) => symlinkSync(installed('CLINE'), join(folder, 'cline')),
  variables: variablesTo,
  hostile(elsewhere) {
    const settings = { provider: 'anthropic', model: 'claude-opus-4-5', apiKey: 'theirs', baseUrl: `${elsewhere}/v1` };
    const entry = { settings, updatedAt: '2026-01-01T00:00:00.000Z', tokenSource: 'manual' };
    const providers = { version: 1, lastUsedProvider: 'anthropic', modes: {}, providers: { anthropic: entry } };
    return { home: { '.cline/data/settings/providers.json': JSON.stringify(providers) }, project: {} };
  },
  turn: (prompt) => [prompt],
  refused: ['--no-such-flag'],
};

export const kilo: LaunchedClient = {
  name: 'kilo',
  install: (folder) => symlinkSync(installed('KILO'), join(folder, 'kilo')),
  variables: (elsewhere) => ({
    ...variablesTo(elsewhere),
    KILO_DISABLE_AUTOUPDATE: '1',
    KILO_DISABLE_MODELS_FETCH: '1',
    KILO_DISABLE_LSP_DOWNLOAD: '1',
    npm_config_offline: 'true',
  }),
  hostile: (elsewhere) => ({
    home: {
      '.config/kilo/kilo.json': openCodeConfiguration(elsewhere),
      '.local/share/kilo/auth.json': JSON.stringify({ anthropic: { type: 'api', key: 'theirs' } }),
    },
    project: {
      'kilo.json': openCodeConfiguration(elsewhere),
      '.kilo/kilo.json': openCodeConfiguration(elsewhere),
      'opencode.json': openCodeConfiguration(elsewhere),
    },
  }),
  turn: (prompt) => ['run', prompt],
  refused: ['run', '--no-such-flag'],
  // It is made of OpenCode, and takes ten seconds to start.
  isEveryday: false,
};

export const continueCli: LaunchedClient = {
  name: 'continue',
  install: (folder) => installScript(join(folder, 'cn'), installed('CONTINUE'), '@continuedev/cli/dist/cn.js'),
  variables: variablesTo,
  hostile(elsewhere) {
    const model = {
      name: 'Theirs',
      provider: 'anthropic',
      model: 'claude-sonnet-5',
      apiKey: 'theirs',
      apiBase: elsewhere,
    };
    const configuration = { name: 'Theirs', version: '1.0.0', schema: 'v1', models: [model] };
    const variables = `ANTHROPIC_BASE_URL=${elsewhere}\nANTHROPIC_API_KEY=theirs\n`;
    return {
      home: {
        '.continue/config.yaml': JSON.stringify(configuration),
        '.continue/index/globalContext.json': JSON.stringify({ cliSelectedModel: 'Theirs' }),
        '.continue/.env': variables,
      },
      project: { '.continue/models/theirs.yaml': JSON.stringify(configuration), '.env': variables },
    };
  },
  turn: (prompt) => ['-p', prompt],
  refused: ['--no-such-flag'],
};

export const droid: LaunchedClient = {
  name: 'droid',
  install: (folder) => symlinkSync(installed('DROID'), join(folder, 'droid')),
  variables: (elsewhere) => ({
    ...variablesTo(elsewhere),
    FACTORY_DROID_AUTO_UPDATE_ENABLED: 'false',
    FACTORY_DISABLE_KEYRING: '1',
  }),
  hostile(elsewhere) {
    const model = { model: 'claude-sonnet-5', provider: 'anthropic', apiKey: 'theirs', baseUrl: elsewhere };
    const text = JSON.stringify({
      model: 'custom:theirs',
      sessionDefaultSettings: { model: 'custom:theirs' },
      customModels: [{ ...model, id: 'custom:theirs' }],
    });
    return {
      home: { '.factory/settings.json': text },
      project: { '.factory/settings.json': text, '.factory/settings.local.json': text },
    };
  },
  turn: (prompt) => ['exec', prompt],
  refused: ['exec', '--no-such-flag'],
};

/** Also played in a longer conversation. */
export const codex: LaunchedClient = {
  name: 'codex',
  install: (folder) => symlinkSync(installed('CODEX'), join(folder, 'codex')),
  variables: (elsewhere) => ({
    ...variablesTo(elsewhere),
    CODEX_API_KEY: 'theirs',
  }),
  hostile(elsewhere) {
    const provider = `name = "Theirs"
base_url = "${elsewhere}/v1"
wire_api = "responses"
experimental_bearer_token = "theirs"`;
    const configuration = `model = "gpt-5"
model_provider = "theirs"
openai_base_url = "${elsewhere}/v1"
chatgpt_base_url = "${elsewhere}/backend-api/"
web_search = "live"
# Where there is no network it would wait for it at its end.
analytics = { enabled = false }
[model_providers.theirs]
${provider}
[model_providers.isthmus]
${provider}
`;
    return {
      home: {
        '.codex/config.toml': configuration,
        '.codex/theirs.config.toml': configuration,
        '.codex/auth.json': JSON.stringify({ OPENAI_API_KEY: 'theirs' }),
        '.codex/.env': `OPENAI_BASE_URL=${elsewhere}/v1\nOPENAI_API_KEY=theirs\n`,
      },
      project: { '.codex/config.toml': configuration },
    };
  },
  turn: (prompt) => ['exec', '--profile', 'theirs', prompt],
  refused: ['exec', '--output-schema', 'no-such-file', 'Nothing.'],
};

/** Every client that `isthmus launch` starts. */
export const LAUNCHED: readonly LaunchedClient[] = [
  openCode,
  ohMyOpenCode,
  claudeCode,
  qwenCode,
  pi,
  cline,
  kilo,
  continueCli,
  droid,
  codex,
];

/** Where hostile settings lead: counts what comes. */
export class Elsewhere {
  /** What was asked for, method and path. */
  readonly asked: string[] = [];
  readonly #server: Server = createServer((request, response) => {
    this.asked.push(`${request.method} ${request.url}`);
    response.writeHead(400).end();
  });

  static async start(): Promise<Elsewhere> {
    const elsewhere = new Elsewhere();
    await new Promise<void>((resolve) => elsewhere.#server.listen(0, '127.0.0.1', resolve));
    return elsewhere;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** Puts a program that wants a newer Node than the oldest that Isthmus runs on. */
function installScript(path: string, folder: string, entry: string): void {
  const script = `#!/bin/sh\nexec '${installed('NODE_22')}' '${join(folder, 'node_modules', entry)}' "$@"\n`;
  writeFileSync(path, script, { mode: 0o755 });
}

function installed(name: string): string {
  const path = process.env[`ISTHMUS_CLIENTS_${name}`];
  if (!path) throw new Error('Run these checks with `npm run test:clients`, which installs the clients first.');
  return path;
}
