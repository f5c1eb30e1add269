import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { CLIENT_KEY } from '../spec/client-key.ts';
import type { Change, Format, Json } from './change.ts';
import { jsoncFormat } from './jsonc-format.ts';
import { yamlFormat } from './yaml-format.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** Where a client keeps its settings, and which of them point it at a gateway. */
export type ClientFile = EditableFile | PrintedFile;

interface AnyFile {
  /** The word that a user types. */
  name: string;
  /** Other words for it, and for what runs in it and reads the same file. */
  aliases?: readonly string[];
  /** What its makers call it. */
  title: string;
  /**
   * The files that it reads, those that win last; setup takes the last one that is there, or the one to be made.
   *
   * @param environment may name another folder
   */
  files(environment: Variables): { all: readonly string[]; made: string };
  /** What else a user has to do or to know; one line each. */
  notes?: readonly string[];
  /** What to think of when something else stood in the place of a value. */
  whenReplaced?: string;
  /** Why setup only prints what to write: the end of a sentence. */
  whyByHand?: string;
  /** What in the file would keep the client from the gateway all the same; one line each. */
  hindrances?(text: string): string[];
}

/** A file of a format that setup can edit. */
export interface EditableFile extends AnyFile {
  format: Format;
  /** @param url of the gateway, without a path */
  changes(url: string): readonly Change[];
  printed?: undefined;
}

/** A file of another format: setup prints what to write, and where. */
interface PrintedFile extends AnyFile {
  whyByHand: string;
  /** @param url of the gateway, without a path */
  printed(url: string): string;
}

/** For clients that want a model by its name. */
const MODEL = 'claude-sonnet-5';
const MODEL_TITLE = 'Claude Sonnet 5 (Isthmus)';

const value = (path: string, content: Json): Change => ({ kind: 'value', path: path.split('.'), value: content });

/** Every client that can be set up, in the order in which they are listed. */
export const CLIENT_FILES: readonly ClientFile[] = [
  {
    name: 'opencode',
    aliases: ['oh-my-opencode', 'oh-my-openagent'],
    title: 'OpenCode',
    format: jsoncFormat,
    files: (environment) => {
      const folder = join(configHome(environment), 'opencode');
      const all = ['config.json', 'opencode.json', 'opencode.jsonc'].map((name) => join(folder, name));
      return { all, made: join(folder, 'opencode.jsonc') };
    },
    // It writes the schema into a file without one by itself, which would look like an edit of its user.
    changes: (url) => [ifAbsent('$schema', 'https://opencode.ai/config.json'), ...ofOpenCode(url)],
    hindrances: hindrancesOfOpenCode,
  },
  {
    name: 'kilo',
    title: 'Kilo',
    format: jsoncFormat,
    files: (environment) => {
      const folder = join(configHome(environment), 'kilo');
      const names = ['config.json', 'kilo.json', 'kilo.jsonc', 'opencode.json', 'opencode.jsonc'];
      return { all: names.map((name) => join(folder, name)), made: join(folder, 'kilo.jsonc') };
    },
    changes: (url) => [ifAbsent('$schema', 'https://app.kilo.ai/config.json'), ...ofOpenCode(url)],
    hindrances: hindrancesOfOpenCode,
  },
  {
    name: 'claude-code',
    aliases: ['claude'],
    title: 'Claude Code',
    format: jsoncFormat,
    files: (environment) =>
      oneFile(environment.CLAUDE_CONFIG_DIR, join(homeOf(environment), '.claude'), 'settings.json'),
    changes: (url) => [value('env.ANTHROPIC_BASE_URL', url), value('env.ANTHROPIC_AUTH_TOKEN', CLIENT_KEY)],
    whenReplaced:
      'Where Claude Code went until now, and what paid there, is known to Isthmus only if its environment has ANTHROPIC_BASE_URL and ANTHROPIC_AUTH_TOKEN as they stood here.',
    hindrances(text) {
      const { env, apiKeyHelper } = objectIn(text, ['env', 'apiKeyHelper']);
      const names = Object.entries(typeof env === 'object' && env ? env : {});
      const clouds = names.filter(([name]) => name.startsWith('CLAUDE_CODE_USE_'));
      const hasKey = names.some(([name, content]) => name === 'ANTHROPIC_API_KEY' && content !== '');
      return [
        ...clouds.map(
          ([name]) => `${name} in its env block leads Claude Code past Isthmus: move it to the environment of Isthmus.`,
        ),
        ...(hasKey
          ? [
              'ANTHROPIC_API_KEY in its env block is sent to Isthmus too, and counts there before the token: move it to the environment of Isthmus.',
            ]
          : []),
        ...(apiKeyHelper
          ? ['The key of its apiKeyHelper is sent to Isthmus too, and counts there before the token: take it out.']
          : []),
      ];
    },
  },
  {
    name: 'pi',
    title: 'pi',
    format: jsoncFormat,
    files: (environment) =>
      oneFile(environment.PI_CODING_AGENT_DIR, join(homeOf(environment), '.pi', 'agent'), 'models.json'),
    changes: (url) => [value('providers.anthropic.baseUrl', url), value('providers.anthropic.apiKey', CLIENT_KEY)],
  },
  {
    name: 'qwen-code',
    aliases: ['qwen'],
    title: 'Qwen Code',
    format: jsoncFormat,
    files: (environment) => oneFile(environment.QWEN_HOME, join(homeOf(environment), '.qwen'), 'settings.json'),
    changes: (url) => [
      value('security.auth.selectedType', 'anthropic'),
      value('env.ANTHROPIC_BASE_URL', url),
      value('env.ANTHROPIC_API_KEY', CLIENT_KEY),
      value('env.ANTHROPIC_MODEL', MODEL),
    ],
    notes: ['A variable of the same name in your shell wins over the file.'],
  },
  {
    name: 'cline',
    title: 'Cline',
    format: jsoncFormat,
    files: ({ CLINE_DATA_DIR, ...environment }) =>
      oneFile(
        CLINE_DATA_DIR && join(CLINE_DATA_DIR, 'settings'),
        join(homeOf(environment), '.cline', 'data', 'settings'),
        'providers.json',
      ),
    changes: (url) => [
      value('version', 1),
      value('lastUsedProvider', 'anthropic'),
      value('providers.anthropic.settings', {
        provider: 'anthropic',
        apiKey: CLIENT_KEY,
        model: MODEL,
        baseUrl: `${url}/v1`,
      }),
      value('providers.anthropic.updatedAt', '2026-01-01T00:00:00.000Z'),
      value('providers.anthropic.tokenSource', 'manual'),
    ],
    whyByHand: 'it writes this file anew whenever it runs, so nothing could be taken back later',
  },
  {
    name: 'codex',
    title: 'Codex',
    files: (environment) => oneFile(environment.CODEX_HOME, join(homeOf(environment), '.codex'), 'config.toml'),
    printed: tomlOfCodex,
    whyByHand: 'its file is TOML, and no library edits that and keeps its comments',
  },
  {
    name: 'continue',
    title: 'Continue',
    format: yamlFormat,
    files: (environment) =>
      oneFile(environment.CONTINUE_GLOBAL_DIR, join(homeOf(environment), '.continue'), 'config.yaml'),
    changes: (url) => [
      ifAbsent('name', 'Isthmus'),
      ifAbsent('version', '1.0.0'),
      ifAbsent('schema', 'v1'),
      {
        kind: 'item',
        path: ['models'],
        by: 'name',
        item: { name: MODEL_TITLE, provider: 'anthropic', model: MODEL, apiBase: `${url}/v1/`, apiKey: CLIENT_KEY },
      },
    ],
    notes: [`Choose the model ${MODEL_TITLE} in Continue, unless it is the only one.`],
  },
  {
    name: 'droid',
    title: 'Droid',
    format: jsoncFormat,
    files: (environment) => oneFile(undefined, join(homeOf(environment), '.factory'), 'settings.json'),
    changes: (url) => [
      {
        kind: 'item',
        path: ['customModels'],
        by: 'id',
        item: {
          id: `custom:isthmus-${MODEL}`,
          displayName: MODEL_TITLE,
          model: MODEL,
          baseUrl: url,
          apiKey: CLIENT_KEY,
          provider: 'anthropic',
          maxOutputTokens: 64_000,
        },
      },
    ],
    notes: [
      `Choose the model in Droid with /model, or \`droid exec -m custom:isthmus-${MODEL}\`. Droid itself wants a sign-in, or a FACTORY_API_KEY.`,
    ],
  },
];

/** TOML, in which a string of JSON is a string. */
function tomlOfCodex(url: string): string {
  const text = (name: string, content: string) => `${name} = ${JSON.stringify(content)}\n`;
  return [
    text('model', MODEL),
    text('model_provider', 'isthmus'),
    // A tool that OpenAI runs itself.
    text('web_search', 'disabled'),
    '\n[model_providers.isthmus]\n',
    text('name', 'Isthmus'),
    text('base_url', `${url}/v1`),
    text('wire_api', 'responses'),
  ].join('');
}

/** The client that a user's word names; undefined if there is none. */
export function clientFileOf(word: string): ClientFile | undefined {
  return CLIENT_FILES.find(({ name, aliases = [] }) => name === word || aliases.includes(word));
}

function ofOpenCode(url: string): Change[] {
  const options = 'provider.anthropic.options';
  return [value(`${options}.baseURL`, `${url}/v1`), value(`${options}.apiKey`, CLIENT_KEY)];
}

/** They ask the provider that a model's name begins with: `openai/gpt-5`. */
function hindrancesOfOpenCode(text: string): string[] {
  const found = objectIn(text, ['disabled_providers', 'enabled_providers', 'model', 'small_model']);
  const { disabled_providers: disabled, enabled_providers: enabled } = found;
  const elsewhere = ['model', 'small_model'].filter((name) => {
    const model = found[name];
    return typeof model === 'string' && !model.startsWith('anthropic/');
  });
  return [
    ...(Array.isArray(disabled) && disabled.includes('anthropic')
      ? ['disabled_providers turns anthropic off, which is the way to Isthmus: take it out of that list.']
      : []),
    ...(Array.isArray(enabled) && !enabled.includes('anthropic')
      ? ['enabled_providers leaves anthropic out, which is the way to Isthmus: add it to that list.']
      : []),
    ...elsewhere.map((name) => `${name} names a model of another provider, past Isthmus: choose one of anthropic.`),
  ];
}

/** What a text of JSON has at its top under these names. */
function objectIn(text: string, names: readonly string[]): { [name: string]: Json | undefined } {
  return Object.fromEntries(names.map((name) => [name, jsoncFormat.read(text, value(name, null))]));
}

function ifAbsent(name: string, content: Json): Change {
  return { kind: 'value', path: [name], value: content, ifAbsent: true };
}

function oneFile(given: string | undefined, standard: string, name: string) {
  const file = join(given ? resolve(given) : standard, name);
  return { all: [file], made: file };
}

function homeOf({ HOME, USERPROFILE }: Variables): string {
  return HOME || USERPROFILE || homedir();
}

function configHome(environment: Variables): string {
  return environment.XDG_CONFIG_HOME || join(homeOf(environment), '.config');
}
