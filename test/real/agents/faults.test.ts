import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Reply } from '../../../scripted-model/script.ts';
import { type ScriptedModel, startScriptedModel } from '../../../scripted-model/testing.ts';
import { answering, calling, makeWorkspace, saying } from '../../support/agents.ts';
import { freePort } from '../../support/free-port.js';
import { ownConfigurationIn, startGateway, type TestGateway, until } from '../../support/gateway.ts';
import { childrenOf, killIfAlive, processesWith } from '../../support/process-table.ts';
import { NO_SANDBOX, SANDBOXED } from '../../support/sandbox.ts';

/** Turns of agents over the whole gateway that break off: a process, the gateway, the client or a command is to blame. */

/** Looks for the values of {@link CREDENTIALS} in all variables and commands that it can see. */
const LOOK = "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline | tr '\\0' '\\n' | grep hush; env | grep hush; echo looked";
const workspace = makeWorkspace({ 'a.txt': 'the word is heron\n', 'look.sh': LOOK });
/** Nobody takes them. */
const CREDENTIALS = { ANTHROPIC_API_KEY: 'hush-key', CLAUDE_CODE_OAUTH_TOKEN: 'hush-token' };
const settings = mkdtempSync(join(tmpdir(), 'isthmus-settings-'));
const flags = ['--spares', '0', '--config', join(settings, 'config.json')];
let model: ScriptedModel;
let gateway: TestGateway;

beforeAll(async () => {
  const helper = { description: 'Helps.', prompt: 'You help.' };
  const worker = {
    level: NO_SANDBOX ? 'edit' : 'shell',
    workspace: workspace.path,
    system: 'You work.',
    subagents: { helper },
  };
  writeFileSync(join(settings, 'config.json'), JSON.stringify({ agents: { worker } }));
  model = await startScriptedModel();
  gateway = await startGateway(model.url, flags, { env: CREDENTIALS });
});
beforeEach(() => model.restart([]));
afterAll(async () => {
  await gateway?.stop();
  await model?.close();
  workspace.remove();
  rmSync(settings, { recursive: true, force: true });
});

type Message = { role: 'user' | 'assistant'; content: unknown };

/** Sends a request whose answer can be left, or read while it comes. */
function send(messages: Message[], more: object = {}) {
  const leaving = new AbortController();
  let text = '';
  const answer = async () => {
    const { status, headers, body } = await fetch(`${gateway.url}/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'isthmus-agent': 'worker' },
      body: JSON.stringify({ model: 'claude-sonnet-5', max_tokens: 100, messages, ...more }),
      signal: leaving.signal,
    });
    for await (const chunk of body ?? []) text += Buffer.from(chunk).toString('utf8');
    return { status, headers, text, json: () => JSON.parse(text) };
  };
  const whole = answer();
  whole.catch(() => undefined);
  return { whole, heard: () => text, leave: () => leaving.abort() };
}

const user = (content: string): Message => ({ role: 'user', content });
const read = (id: string) => calling([id, 'Read', { file_path: workspace.file('a.txt') }]);
const bash = (id: string, command: string) => calling([id, 'Bash', { command }]);

/** The first turn of a conversation, whose steps must not be lost. */
async function firstTurn(words: string): Promise<Message[]> {
  answering(model, read('toolu_1'), saying('The word is heron.'));
  const { status, json } = await send([user(words)]).whole;
  expect(status).toBe(200);
  return [user(words), { role: 'assistant', content: json().content }];
}

/** What the model saw of a conversation at one of its calls, without the place of the cache. */
const seen = (at: number): object[] =>
  JSON.parse(JSON.stringify(model.requests[at]?.body.messages).replaceAll(/,"cache_control":\{[^}]*\}/g, ''));

/** A conversation goes on in a new process that has all steps of earlier turns; its first call is like that of a live one. */
async function goesOn(messages: Message[], live: object[]): Promise<void> {
  const before = model.requests.length;
  answering(model, saying('done'));
  const { status, headers, json } = await send(messages).whole;
  expect(status).toBe(200);
  expect(json().content).toMatchObject([{ text: 'done' }]);
  expect(headers.get('isthmus-path')).toBe('replay');
  expect(headers.get('isthmus-converted')).toBe('max_tokens');
  expect(model.requests).toHaveLength(before + 1);
  const replayed = seen(before);
  expect(replayed.slice(0, live.length)).toEqual(live);
  // Claude Code tells each process where its own files are that commands may not touch.
  for (const more of replayed.slice(live.length)) expect(JSON.stringify(more)).toContain('## Bash command sandbox');
}

/** All that the gateway has started, also what has left its group. */
const started = () => processesWith(gateway.home).filter((pid) => pid !== gateway.child.pid);

/** The `claude` processes of this workspace. */
function agentProcesses(): number[] {
  return childrenOf(gateway.child.pid).filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === workspace.path;
    } catch {
      return false;
    }
  });
}

/** The most memory that a process has had at a time. */
function peakMb(pid: number | undefined): number {
  return Number(/VmHWM:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

const untilGone = (before: readonly number[]) =>
  until('nothing of the turn lives', () => started().every((pid) => before.includes(pid)));

/** A command that says that it runs, and goes on. */
const endless = (name: string) => `echo begun > ${name}.txt; while :; do sleep 1; done`;
const hasBegun = (name: string) => () => existsSync(workspace.file(`${name}.txt`));

interface Moment {
  replies: Reply[];
  more?: object;
  isReached: (heard: string) => boolean;
}

const MOMENTS: Array<[name: string, moment: Moment]> = [
  [
    'between two calls of the model',
    {
      replies: [read('toolu_2'), { ...saying('late'), delay_ms: 60_000 }],
      isReached: () => model.requests.length === 4,
    },
  ],
  [
    'while its last words stream',
    {
      replies: [read('toolu_2'), { ...saying('words that come one by one '.repeat(9)), delta_length: 4, gap_ms: 150 }],
      more: { stream: true },
      isReached: (heard) => heard.includes('text_delta'),
    },
  ],
  [
    'while a command runs',
    { replies: [bash('toolu_2', endless('killed')), saying('never')], isReached: hasBegun('killed') },
  ],
];

for (const [name, { replies, more, isReached }] of MOMENTS) {
  const needsSandbox = name.includes('command');
  test.skipIf(needsSandbox && NO_SANDBOX)(
    `an agent’s process is killed ${name}${needsSandbox ? ` ${SANDBOXED}` : ''}`,
    async () => {
      const before = { all: started(), agents: agentProcesses() };
      const next = [...(await firstTurn(`begin: ${name}`)), user('go on')];
      const [pid, ...others] = agentProcesses().filter((one) => !before.agents.includes(one));
      expect(others).toEqual([]);
      answering(model, ...replies);
      const turn = send(next, more);
      await until('it has come so far', () => isReached(turn.heard()));
      const twice = await send(next).whole;
      expect([twice.status, twice.headers.get('isthmus-error')]).toEqual([409, 'agent_turn_running']);
      const calls = model.requests.length;
      killIfAlive(pid as number);
      const { status, headers, text } = await turn.whole;
      if (more) {
        expect(text).toContain('"error_code":"process_lost"');
        expect(text).not.toContain('message_stop');
      } else {
        expect([status, headers.get('isthmus-error'), headers.get('x-should-retry')]).toEqual([
          500,
          'process_lost',
          'false',
        ]);
      }
      await untilGone(before.all);
      await until('no call is under way', () => model.requests.every(({ outcome }) => outcome !== 'open'));
      expect(model.requests).toHaveLength(calls);
      await goesOn(next, seen(2));
      rmSync(workspace.file('killed.txt'), { force: true });
    },
  );
}

test('an agent’s process is killed between two turns', async () => {
  const before = { all: started(), agents: agentProcesses() };
  const next = [...(await firstTurn('begin, and be killed between')), user('go on')];
  const live = seen(1);
  const [pid] = agentProcesses().filter((one) => !before.agents.includes(one));
  killIfAlive(pid as number);
  await untilGone(before.all);
  answering(model, saying('done'));
  const { status, headers, json } = await send(next).whole;
  expect([status, json().content]).toMatchObject([200, [{ text: 'done' }]]);
  expect([headers.get('isthmus-path'), headers.get('isthmus-converted')]).toEqual(['replay', 'max_tokens']);
  expect(model.requests).toHaveLength(3);
  expect(seen(2).slice(0, live.length)).toEqual(live);
});

describe.skipIf(NO_SANDBOX)(`with commands ${SANDBOXED}`, () => {
  test('a gateway is killed within turns of an agent: nothing is left, and all steps are known', async () => {
    const next = [...(await firstTurn('begin, and be killed')), user('go on')];
    const before = readdirSync(workspace.path);
    let live: object[] | undefined;
    // The first life kills a process that began with its conversation, the second one that resumed it.
    for (const life of ['first', 'second']) {
      answering(model, bash('toolu_2', endless(life)));
      const turn = send(next);
      await until('the command runs', hasBegun(life));
      live ??= seen(2);
      const exited = once(gateway.child, 'exit');
      gateway.child.kill('SIGKILL');
      await exited;
      await expect(turn.whole).rejects.toThrow();
      gateway = await startGateway(model.url, flags, { env: CREDENTIALS, home: gateway.home });
      await until('nothing of the killed one lives', () => started().length === 0);
      expect(readdirSync(gateway.home).filter((name) => name.startsWith('isthmus-run-'))).toHaveLength(1);
      expect(readdirSync(gateway.home).filter((name) => name.startsWith('claude-'))).toEqual([]);
      expect(keptOfSessions()).toEqual([]);
      rmSync(workspace.file(`${life}.txt`));
      expect(readdirSync(workspace.path)).toEqual(before);
    }
    await goesOn(next, live as object[]);
  });

  for (const by of ['an agent', 'a subagent']) {
    test(`hostile commands of ${by}`, async () => {
      const before = started();
      const task = { subagent_type: 'helper', description: 'help', prompt: 'Do it.' };
      /** One call each, by whom it is to be. */
      const turnOf = (...commands: string[]): Reply[] => [
        ...(by === 'a subagent' ? [calling(['toolu_agent', 'Agent', task])] : []),
        ...commands.map((command, at) => bash(`toolu_${at}`, command)),
        ...(by === 'a subagent' ? [saying('helped')] : []),
        saying('done'),
      ];
      const port = await freePort();
      let visits = 0;
      const outside = createServer((socket) => {
        visits += 1;
        socket.end('CONNECTED');
      });
      outside.listen(workspace.file('outside.sock'));
      answering(
        model,
        ...turnOf(
          'yes flood | head -c 100000000',
          `for port in ${model.port} ${new URL(gateway.url).port}; do exec 3<>/dev/tcp/127.0.0.1/$port && echo CONN''ECTED; done; ` +
            `socat - UNIX-CONNECT:outside.sock; socat - ABSTRACT-CONNECT:isthmus; echo tried`,
          `socat TCP-LISTEN:${port},fork SYSTEM:'echo CONN''ECTED' & echo on > listens.txt; while [ ! -e visited.txt ]; do sleep 0.1; done`,
          'bash look.sh',
        ),
      );
      const turn = send([user(`be hostile, ${by}`)]);
      await until('a command listens', hasBegun('listens'));
      const visitor = connect(port, '127.0.0.1');
      const [refused] = await once(visitor, 'error');
      expect(refused.code).toBe('ECONNREFUSED');
      writeFileSync(workspace.file('visited.txt'), '');
      const { status, json } = await turn.whole;
      outside.close();
      expect([status, json().content]).toMatchObject([200, [{ text: 'done' }]]);
      expect(visits).toBe(0);
      const told = model.requests.map(({ text }) => text);
      expect(Math.max(...told.map(({ length }) => length))).toBeLessThan(300_000);
      for (const mark of ['tried', 'looked']) expect(told.join()).toContain(mark);
      for (const mark of ['hush-', 'CONNECTED']) expect(told.join()).not.toContain(mark);
      expect(peakMb(gateway.child.pid)).toBeLessThan(250);
      for (const pid of agentProcesses()) expect(peakMb(pid)).toBeLessThan(450);
      for (const name of ['listens.txt', 'visited.txt']) rmSync(workspace.file(name));

      // What it starts leaves its session, and hears no signal; it writes for as long as it lives.
      const drips = (file: string) => `trap '' TERM HUP INT; while :; do echo x >> ${file}; sleep 0.01; done`;
      const next = [user(`be hostile, ${by}`), { role: 'assistant' as const, content: json().content }, user('go on')];
      answering(
        model,
        ...turnOf(`echo kept > kept.txt; (setsid bash -c "${drips('drips-1')}" &); ${drips('drips-2')}`),
      );
      const calls = model.requests.length;
      const left = send(next);
      await until('all of it runs', () => ['drips-1', 'drips-2'].every((name) => existsSync(workspace.file(name))));
      const live = seen(calls);
      left.leave();
      await untilGone(before);
      await expect(left.whole).rejects.toThrow();
      await goesOn(next, live);
      expect(readFileSync(workspace.file('kept.txt'), 'utf8')).toBe('kept\n');
      for (const name of ['kept.txt', 'drips-1', 'drips-2']) rmSync(workspace.file(name));
      expect(readdirSync(workspace.path).sort()).toEqual(['a.txt', 'look.sh']);
    });
  }
});

/** What Claude Code has kept of sessions in its configuration. */
function keptOfSessions(): string[] {
  const folder = ownConfigurationIn(gateway.home);
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /^(sessions|session-env|projects\/[^/]+)\/./.test(name),
  );
}
