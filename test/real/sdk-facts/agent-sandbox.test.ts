import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { removeSandboxTraces } from '../../../src/engine/agents/sandbox-traces.ts';
import { CONNECTION_ATTEMPTS, layOut, reached } from '../../support/escape-attempts.ts';
import { until } from '../../support/gateway.ts';
import { commandOf, isAlive, pidsWithWord } from '../../support/process-table.ts';
import { NO_SANDBOX, SANDBOXED } from '../../support/sandbox.ts';
import { AgentRuns, type Call, callsThenText } from './agent-runs.ts';

/** The sandbox of commands, as Claude Code makes it with the product's options. */

/** Credentials that nobody takes. */
const CREDENTIALS = {
  ANTHROPIC_API_KEY: 'hush-key',
  ANTHROPIC_AUTH_TOKEN: 'hush-bearer',
  ANTHROPIC_CUSTOM_HEADERS: 'x-proxy-key: hush-header',
  AWS_SECRET_ACCESS_KEY: 'hush-aws',
  AZURE_CLIENT_SECRET: 'hush-azure',
  GOOGLE_APPLICATION_CREDENTIALS: '/hush-google.json',
  HTTPS_PROXY: 'http://user:hush-proxy@127.0.0.1:9',
};

const filesIn = (folder: string) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();

const bash = (command: string, more: object = {}): Call => ({ name: 'Bash', input: { command, ...more } });

let runs: AgentRuns;
beforeAll(async () => {
  runs = await AgentRuns.open(() => CREDENTIALS);
});
afterAll(() => runs.close());

test('without its programs no command runs, and the model is not called', async () => {
  const agent = runs.agent({ level: 'shell' });
  runs.model.restart([callsThenText([bash('echo planted > ../planted.txt')])]);
  const run = runs.run(agent, { variables: { PATH: '/nowhere' } });
  const result = await run.untilDone();
  run.end();
  expect(result).toMatchObject({ subtype: 'error_during_execution', is_error: true });
  expect(JSON.stringify(result)).toContain('bubblewrap');
  expect(runs.model.requests).toEqual([]);
  expect(existsSync(join(dirname(agent.workspace), 'planted.txt'))).toBe(false);
});

describe.skipIf(NO_SANDBOX)(`commands ${SANDBOXED}`, () => {
  test('reach nothing that listens on the machine', async () => {
    const agent = runs.agent({ level: 'shell' });
    const place = {
      workspace: agent.workspace,
      outside: join(dirname(agent.workspace), 'outside'),
      home: runs.home,
      configuration: join(runs.home, 'isthmus'),
      port: runs.model.port,
    };
    layOut(place);
    const results = await runs.results(agent, ({ files }) =>
      CONNECTION_ATTEMPTS.map(({ tool, input }) => ({
        name: tool,
        input: input({ ...place, gatewayFile: files.settings as string }),
      })),
    );
    expect(results.filter(({ text }) => reached(text))).toEqual([]);
    expect(runs.model.requests).toHaveLength(2);
  });

  test('reach the hosts that are listed, by the operator’s proxy if there is one, and no others', async () => {
    const asked: string[] = [];
    const proxy: Server = createServer(({ url = '' }, response) => {
      asked.push(url);
      response.end('HELLO');
    }).listen(0, '127.0.0.1');
    await until('the proxy listens', () => proxy.listening);
    const { port } = proxy.address() as AddressInfo;
    try {
      const urls = ['http://listed.example/a', 'http://other.example/', `http://127.0.0.1:${port}/`];
      const agent = runs.agent({ level: 'shell', allowedHosts: ['listed.example', hostname()] });
      const [listed, unlisted, proxied] = await runs.results(
        agent,
        urls.map((url) => bash(`curl -s -m 9 --noproxy '' ${url}`)),
        { variables: { HTTP_PROXY: `http://127.0.0.1:${port}` } },
      );
      expect(listed?.text).toBe('HELLO');
      expect(unlisted?.text).toContain('blocked by network allowlist');
      expect(proxied?.text).toContain('blocked by network allowlist');
      expect(asked).toEqual(['http://listed.example/a']);
      // A listed name of this machine leads nowhere, too.
      const [own] = await runs.results(agent, [bash(`curl -s -m 9 http://${hostname()}:${port}/`)], {
        variables: { HTTP_PROXY: '' },
      });
      expect(own?.text).not.toContain('HELLO');
      expect(asked).toHaveLength(1);
    } finally {
      proxy.close();
    }
  });

  test('see no credential', async () => {
    const results = await runs.results(runs.agent({ level: 'shell' }), [
      bash('env'),
      bash('echo CLAUDECODE; cat /proc/*/environ 2>/dev/null | tr "\\0" "\\n" | grep hush'),
      bash('echo CLAUDECODE; cat /proc/*/cmdline 2>/dev/null | tr "\\0" "\\n" | grep hush'),
      bash('node -p "JSON.stringify(process.env)"'),
    ]);
    expect(results.every(({ text }) => text.includes('CLAUDECODE'))).toBe(true);
    const told = JSON.stringify(runs.model.requests.map(({ body }) => body));
    expect(told).not.toContain('hush-');
    expect(told).not.toContain('CLAUDE_CODE_MESSAGING_SOCKET=');
  });

  test('and what they leave end with their process, when its group is killed', async () => {
    const agent = runs.agent({ level: 'shell' });
    execFileSync('git', ['init', '-q'], { cwd: agent.workspace });
    const before = filesIn(agent.workspace);
    const mark = `9${Math.floor(Math.random() * 1e8)}`;
    const command = `(setsid sleep ${mark} &); trap '' TERM INT HUP; sleep ${mark} & nohup sleep ${mark} & sleep ${mark}`;
    runs.model.restart([callsThenText([bash(command)])]);
    const run = runs.run(agent);
    await until(
      'the commands run',
      () => pidsWithWord(mark).filter((pid) => commandOf(pid).startsWith('sleep')).length === 4,
    );
    const pid = run.made.child.pid as number;
    const sockets = readdirSync(run.made.files.scratch).filter((name) => name.startsWith('claude-http'));
    expect(sockets).toHaveLength(1);
    process.kill(-pid, 'SIGKILL');
    await until(
      'all have ended',
      () => pidsWithWord(mark).length === 0 && pidsWithWord(sockets[0] as string).length === 0,
    );
    await until('it has ended', () => !isAlive(pid));
    run.end();
    expect(readdirSync(agent.workspace)).toContain('.bashrc');
    removeSandboxTraces(agent.workspace);
    expect(filesIn(agent.workspace)).toEqual(before);
  });

  test('have a limited time, and run in the background for nobody', async () => {
    const agent = runs.agent({ level: 'shell', maxSeconds: 2 });
    const results = await runs.results(agent, [bash('sleep 60'), bash('sleep 60', { timeout: 600_000 })]);
    for (const { text } of results) expect(text).toContain('Command timed out after 2s');
    const schema = JSON.stringify(runs.model.requests[0]?.body.tools);
    expect(schema).not.toContain('run_in_background');
  });

  test('may flood: the model sees the beginning, the rest goes with the process', async () => {
    const agent = runs.agent({ level: 'shell' });
    runs.model.restart([callsThenText([bash("head -c 100000000 /dev/zero | tr '\\0' x")])]);
    const run = runs.run(agent);
    await run.untilDone();
    const [result] = run.resultsOf([bash('')]);
    expect(result?.text.length).toBeLessThan(10_000);
    const [, path = ''] = /(\/\S+\/tool-results\/\S+\.txt)/.exec(result?.text ?? '') ?? [];
    expect(statSync(path).size).toBeGreaterThan(1_000_000);
    run.end();
    await until('it is removed', () => !existsSync(path));
  });
});
