import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import { type ScriptedModel, startScriptedModel } from '../../../scripted-model/testing.ts';
import { freePort } from '../../support/free-port.js';
import { ownConfigurationIn, runIsthmus, signIn, startGateway, surroundings } from '../../support/gateway.ts';
import { testParts } from '../../support/test-parts.ts';

/** Whose configuration Claude Code reads and writes, and that a foreign one leads no call astray. */

let home: string;
let model: ScriptedModel;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'isthmus-test-'));
  model = await startScriptedModel({ script: [{ when: { text: 'read' }, replies: [CALL] }] });
});
afterEach(() => model.close());

const CALL = { content: [{ type: 'tool_use' as const, id: 'toolu_1', name: 'read', input: {} }] };
const TOOLS = [{ name: 'read', input_schema: { type: 'object' } }];

/** A start, a held result, a rewind, a replay and a count; all of them reach the model. */
async function useAll(url: string): Promise<void> {
  const post = async (path: string, messages: object[]) => {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'claude-sonnet-5', max_tokens: 100, tools: TOOLS, messages }),
    });
    const body = await response.json();
    expect(response.status, JSON.stringify(body)).toBe(200);
    return { path: response.headers.get('isthmus-path'), counted: response.headers.get('isthmus-token-count') };
  };
  const asked = { role: 'user', content: 'please read' };
  const called = { role: 'assistant', content: [{ ...CALL.content[0] }] };
  const result = { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'r' }] };
  expect(await post('/v1/messages', [asked])).toMatchObject({ path: 'start' });
  expect(await post('/v1/messages', [asked, called, result])).toMatchObject({ path: 'continue' });
  const other = { ...result, content: [{ ...result.content[0], content: 'other' }] };
  expect(await post('/v1/messages', [asked, called, other])).toMatchObject({ path: 'rewind' });
  expect(
    await post('/v1/messages', [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b' },
      { role: 'user', content: 'c' },
    ]),
  ).toMatchObject({ path: 'replay' });
  expect(await post('/v1/messages/count_tokens', [asked])).toMatchObject({ counted: 'sdk' });
}

/** All paths of files below a folder. */
function filesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder, { recursive: true }).map(String).sort() : [];
}

function deviceIds(): Set<string> {
  return new Set(
    model.requests.map(({ body }) => JSON.parse(String((body.metadata as { user_id: string }).user_id)).device_id),
  );
}

testParts<[name: string, spares: string, env: Record<string, string>]>(
  'foreignConfiguration',
  [
    ['a key', '1', {}],
    ['a token', '0', { ANTHROPIC_API_KEY: '', CLAUDE_CODE_OAUTH_TOKEN: 'dummy' }],
  ],
  // Every day a login reads one in full mode, see below.
  { isQuick: () => false, isEveryday: ([name]) => name === 'a key' },
)(
  'with %s the user’s configuration stays untouched, and the device is one across restarts',
  async (_name, spares, env) => {
    const ofUser = join(home, 'claude');
    const own = ownConfigurationIn(home);
    for (const _run of [1, 2]) {
      const gateway = await startGateway(model.url, ['--spares', spares], { home, env });
      await useAll(gateway.url);
      let left: string[] = [];
      expect(
        await gateway.stop(() => {
          left = filesIn(own);
          expect(filesIn(ofUser)).toEqual([]);
          expect(filesIn(home).filter((file) => file.startsWith('.claude'))).toEqual([]);
        }, 'keeps its home'),
      ).toBe(0);
      expect(left).toContain('.claude.json');
      expect(left.filter((file) => /^(sessions|projects)\/./.test(file))).toEqual([]);
    }
    expect(deviceIds().size).toBe(1);
  },
);

testParts<[name: string, spares: string, credential: (home: string) => Record<string, string>]>(
  'foreignConfiguration',
  [
    ['a key', '1', () => ({})],
    ['a token', '1', () => ({ ANTHROPIC_API_KEY: '', CLAUDE_CODE_OAUTH_TOKEN: 'dummy' })],
    ['a login', '0', signIn],
  ],
  // One in bare mode, and of those in full mode the one that reads its configuration for its sign-in, too.
  { isEveryday: ([name]) => name !== 'a token' },
)('with %s an `env` in the user’s `.claude.json` leads no call astray', async (_name, spares, credential) => {
  const astray: string[] = [];
  const elsewhere: Server = createServer((request, response) => {
    astray.push(`${request.method} ${request.url}`);
    response.destroy();
  });
  elsewhere.on('connect', ({ url }, socket) => {
    astray.push(`CONNECT ${url}`);
    socket.destroy();
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;
  const foreign = {
    ANTHROPIC_BASE_URL: url,
    HTTP_PROXY: url,
    http_proxy: url,
    HTTPS_PROXY: url,
    NO_PROXY: '',
    ANTHROPIC_API_KEY: 'a key of somebody else',
    ANTHROPIC_AUTH_TOKEN: 'a token of somebody else',
    ANTHROPIC_MODEL: 'claude-opus-4-1',
    ANTHROPIC_BETAS: 'a-beta',
    CLAUDE_CODE_EXTRA_BODY: '{"top_k": 3}',
    CLAUDE_CODE_USE_BEDROCK: '1',
    CLAUDE_CODE_EFFORT_LEVEL: 'high',
    CLAUDE_CODE_TOTAL_TOKENS_REMINDER: 'on',
    CLAUDE_CODE_DISABLE_ATTACHMENTS: '0',
    TZ: 'Pacific/Pago_Pago',
  };
  try {
    const env = credential(home);
    mkdirSync(join(home, 'claude'), { recursive: true });
    const file = join(home, 'claude', '.claude.json');
    const before = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
    writeFileSync(file, JSON.stringify({ ...before, env: foreign }));
    // Without an operator's proxy a foreign one could take any call.
    const noProxies = { HTTP_PROXY: '', HTTPS_PROXY: '', NO_PROXY: '' };
    const gateway = await startGateway(model.url, ['--spares', spares], { home, env: { ...env, ...noProxies } });
    await useAll(gateway.url).finally(() => gateway.stop());
    for (const { headers, body } of model.requests) {
      expect(String(headers.authorization)).not.toContain('somebody else');
      expect(String(headers['x-api-key'])).not.toContain('somebody else');
      expect(String(headers['anthropic-beta'])).not.toContain('a-beta');
      expect(body).toMatchObject({ model: 'claude-sonnet-5' });
      expect(body).not.toHaveProperty('top_k');
      expect(body).not.toHaveProperty('output_config');
      expect(JSON.stringify(body.messages)).not.toMatch(/system-reminder|total_tokens/);
    }
    expect(model.requests).toHaveLength(4);
    expect(astray).toEqual([]);
  } finally {
    elsewhere.close();
  }
});

testParts<[name: string, spares: string, credential: (home: string) => Record<string, string>]>(
  'foreignConfiguration',
  [
    ['a key', '1', () => ({})],
    ['a token', '1', () => ({ ANTHROPIC_API_KEY: '', CLAUDE_CODE_OAUTH_TOKEN: 'dummy' })],
    ['a login', '0', signIn],
  ],
  // A login reads the folder that the file is in.
  { isEveryday: ([name]) => name === 'a login' },
)(
  'with %s the gateway calls the model, not itself, when `isthmus setup claude-code` has written to the user’s settings',
  async (_name, spares, credential) => {
    const port = String(await freePort());
    const { env } = surroundings(model.url, credential(home), home);
    const settings = join(home, 'claude', 'settings.json');
    const setUp = await runIsthmus(['setup', 'claude-code', '--yes', '--port', port], env);
    expect(setUp).toMatchObject({
      code: 0,
      output: expect.stringContaining(`${settings} points at http://127.0.0.1:${port}`),
    });
    const written = readFileSync(settings, 'utf8');
    const gateway = await startGateway(model.url, ['--port', port, '--spares', spares], { home, env });
    expect(gateway.url).toBe(`http://127.0.0.1:${port}`);
    await useAll(gateway.url).finally(() => gateway.stop(() => expect(readFileSync(settings, 'utf8')).toBe(written)));
    expect(model.requests).toHaveLength(4);
    for (const { headers } of model.requests) {
      expect([headers.authorization, headers['x-api-key']].join()).not.toContain('isthmus');
      expect(headers['isthmus-via']).toMatch(/^[0-9a-f]{16}$/);
    }
    expect(gateway.output()).not.toContain('env block');
  },
);
