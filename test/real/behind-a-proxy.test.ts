import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ScriptedModel } from '../../scripted-model/server.ts';
import { documentBlocks } from '../support/document-blocks.ts';
import { freePort } from '../support/free-port.js';
import { startGateway, type TestGateway, until } from '../support/gateway.ts';

/** The configuration of nginx that the documents show, with a real nginx before the gateway. */

const hasNginx = spawnSync('nginx', ['-v']).status === 0;
const title = hasNginx ? '' : ' (SKIPPED: there is no nginx)';

const NAME = 'gateway.example';
const KEY = 'a-long-random-key';

let model: ScriptedModel;
let gateway: TestGateway;
let nginx: ReturnType<typeof spawn>;
let port: number;
const folder = mkdtempSync(join(tmpdir(), 'isthmus-nginx-'));
const certificate = join(folder, 'gateway.pem');

beforeAll(async () => {
  if (!hasNginx) return;
  model = await ScriptedModel.start({
    script: [{ replies: [{ content: [{ type: 'text', text: 'one two three' }], delta_length: 5, gap_ms: 200 }] }],
  });
  gateway = await startGateway(model.url, ['--allowed-hosts', NAME]);
  port = await freePort();
  const own = ['-keyout', join(folder, 'gateway.key'), '-out', certificate, '-subj', `/CN=${NAME}`];
  const named = ['-addext', `subjectAltName=DNS:${NAME}`];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...own, ...named], {
    stdio: 'ignore',
  });
  const shown = documentBlocks().find(({ language }) => language === 'nginx')?.text ?? '';
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (of) => `${of}_temp_path ${folder}/${of};`,
  );
  const served = shown
    .replaceAll('/etc/nginx/gateway', join(folder, 'gateway'))
    .replaceAll('listen 443', `listen 127.0.0.1:${port}`)
    .replace('http://127.0.0.1:3456', gateway.url);
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; pid ${folder}/pid; error_log stderr; events {}\nhttp { access_log off; ${temporary.join(' ')}\n${served}}`,
  );
  nginx = spawn('nginx', ['-c', join(folder, 'nginx.conf')], { stdio: 'ignore' });
  await until('nginx answers', async () => (await ask('/health').catch(() => undefined)) !== undefined);
});
afterAll(async () => {
  if (nginx) {
    nginx.kill('SIGTERM');
    await once(nginx, 'exit');
  }
  await gateway?.stop();
  await model?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function ask(path: string, options: RequestOptions = {}, body?: object): Promise<IncomingMessage> {
  const sent = request({ host: '127.0.0.1', port, path, servername: NAME, ca: readFileSync(certificate), ...options });
  sent.setHeader('host', NAME);
  sent.end(body && JSON.stringify(body));
  const [answer] = await once(sent, 'response');
  return answer;
}

test.runIf(hasNginx)(`nginx lets in who has the key, by either header${title}`, async () => {
  const statuses = [{}, { 'x-api-key': 'another' }, { 'x-api-key': KEY }, { authorization: `Bearer ${KEY}` }].map(
    async (headers) => {
      const answer = await ask('/health', { headers });
      answer.resume();
      return answer.statusCode;
    },
  );
  expect(await Promise.all(statuses)).toEqual([401, 401, 200, 200]);
});

test.runIf(hasNginx)(`nginx hands on each event of a stream as it comes${title}`, async () => {
  const headers = { 'x-api-key': KEY, 'content-type': 'application/json' };
  const messages = [{ role: 'user', content: 'Count.' }];
  const asked = { model: 'claude-sonnet-5', max_tokens: 100, stream: true, messages };
  const answer = await ask('/v1/messages', { method: 'POST', headers }, asked);
  await once(answer, 'readable');
  expect(model.requests.at(-1)?.outcome).toBe('open');
  expect(await text(answer)).toContain('event: message_stop');
});
