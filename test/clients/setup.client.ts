import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { findExecutable } from '../../src/engine/environment/executable.ts';
import { ISTHMUS } from '../support/gateway.ts';
import { onStage, toPlay } from './checks.ts';
import { type ClientRun, Project } from './project.ts';
import { text } from './rules.ts';
import type { Observation } from './stage.ts';

/** That a client reads what `isthmus setup` has written into its user's file, and no more is needed. */

const PROMPT = 'Say hello';
const MODEL = 'claude-sonnet-5';

const { ISTHMUS_CLIENTS_NODE_22: node = '', ISTHMUS_CLIENTS_OPENCODE: openCode = '' } = process.env;
const { ISTHMUS_CLIENTS_PI: pi = '', ISTHMUS_CLIENTS_QWEN_CODE: qwenCode = '' } = process.env;
const { ISTHMUS_CLIENTS_KILO: kilo = '', ISTHMUS_CLIENTS_DROID: droid = '' } = process.env;
const { ISTHMUS_CLIENTS_CONTINUE: continueCli = '' } = process.env;

interface Row {
  /** As `isthmus setup` calls it. */
  client: string;
  /** The user's file, below the home, and what is in it before. */
  file: string;
  before: string;
  /** Whether the client itself writes the file anew as it starts. */
  rewrites?: boolean;
  /** What runs one turn without a terminal. */
  command: string[];
  variables?: Record<string, string>;
}

const ROWS: Row[] = [
  {
    client: 'opencode',
    file: '.config/opencode/opencode.jsonc',
    before: '{\n\t// mine\n\t"autoupdate": false,\n\t"share": "disabled", // never\n}\n',
    command: [openCode, 'run', '--model', `anthropic/${MODEL}`, PROMPT],
    variables: {
      OPENCODE_DISABLE_AUTOUPDATE: '1',
      OPENCODE_DISABLE_MODELS_FETCH: '1',
      OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
      OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
      npm_config_offline: 'true',
    },
  },
  {
    client: 'claude-code',
    file: '.claude/settings.json',
    before: '{\r\n  "env": {\r\n    "ANTHROPIC_BASE_URL": "http://127.0.0.1:9"\r\n  }\r\n}',
    command: [findExecutable(undefined).path, '-p', PROMPT, '--model', MODEL],
    // Its own file beats the environment.
    variables: { ANTHROPIC_BASE_URL: 'http://127.0.0.1:9', CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1' },
  },
  {
    client: 'pi',
    file: '.pi/agent/models.json',
    before: '{ "providers": { "anthropic": { "apiKey": "mine" } } }',
    command: [
      node,
      join(pi, 'node_modules', '@earendil-works', 'pi-coding-agent', 'dist', 'bundle', 'cli.js'),
      ...['--provider', 'anthropic', '--model', 'claude-sonnet-4-5', '-p', PROMPT],
    ],
    variables: { PI_OFFLINE: '1' },
  },
  {
    client: 'qwen-code',
    file: '.qwen/settings.json',
    before:
      '{\n    "$version": 4, // by Qwen Code\n    "privacy": {\n        "usageStatisticsEnabled": false\n    }\n}\n',
    command: [node, join(qwenCode, 'node_modules', '@qwen-code', 'qwen-code', 'cli-entry.js'), '--yolo', PROMPT],
  },
  {
    client: 'kilo',
    file: '.config/kilo/kilo.json',
    before: '{\n  // mine\n  "autoupdate": false,\n}\n',
    rewrites: true,
    command: [kilo, 'run', '--model', `anthropic/${MODEL}`, PROMPT],
    variables: {
      KILO_DISABLE_AUTOUPDATE: '1',
      KILO_DISABLE_MODELS_FETCH: '1',
      KILO_DISABLE_LSP_DOWNLOAD: '1',
      npm_config_offline: 'true',
    },
  },
  {
    client: 'continue',
    file: '.continue/config.yaml',
    before: 'name: Mine # yes\nversion: 1.0.0\nschema: v1\nmodels: []\n',
    command: [node, join(continueCli, 'node_modules', '@continuedev', 'cli', 'dist', 'cn.js'), ...['-p', PROMPT]],
  },
  {
    client: 'droid',
    file: '.factory/settings.json',
    before: '{\n  "theme": "dark"\n}\n',
    command: [droid, 'exec', '-m', `custom:isthmus-${MODEL}`, PROMPT],
    variables: { FACTORY_API_KEY: 'any' },
  },
];

const stage = onStage();

describe.each(toPlay(ROWS, ({ client }) => ['opencode', 'claude-code'].includes(client)))(
  '$client',
  ({ client, file, before, command: [program = '', ...args], variables = {}, rewrites = false }) => {
    let project: Project;
    let path: string;
    let observation: Observation<ClientRun>;

    const setUp = (...flags: string[]) => {
      const { port } = new URL(stage().url);
      return project.runProgram(process.execPath, [ISTHMUS, 'setup', client, '--yes', '--port', port, ...flags], {});
    };

    beforeAll(async () => {
      project = stage().add(new Project(client, { 'README.md': 'Nothing.\n' }));
      path = join(project.home, file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, before);
      stage().script(() => ({ content: [text('Hello from the model.')] }));
      expect(await setUp()).toMatchObject({
        code: 0,
        stdout: expect.stringContaining(`${path} points at ${stage().url}`),
      });
      observation = await stage().observe(() => project.runProgram(program, args, variables));
    });

    it('brings the model’s answer, over the gateway and with the key that was written', () => {
      expect(observation.run).toMatchObject({ code: 0, stdout: expect.stringContaining('Hello from the model.') });
      const keys = observation.exchanges.map(({ headers }) => headers['x-api-key'] ?? headers.authorization);
      expect(new Set(keys.map((key) => String(key).replace('Bearer ', '')))).toEqual(new Set(['isthmus']));
    });

    it(`its file is given back${rewrites ? ', as far as it is ours' : ' byte for byte'}`, async () => {
      const words = rewrites ? 'is no longer set up' : 'is what it was before';
      expect(await setUp('--undo')).toMatchObject({ code: 0, stdout: expect.stringContaining(words) });
      const after = readFileSync(path, 'utf8');
      if (rewrites) expect(after).not.toMatch(/isthmus|127\.0\.0\.1/);
      else expect(after).toBe(before);
    });
  },
);
