import { once } from 'node:events';
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CANNOT_START } from '../../src/service/exit-code.ts';
import { sdkClient } from '../support/clients.ts';
import { freePort } from '../support/free-port.js';
import { until } from '../support/gateway.ts';
import { Engine, NO_ENGINE } from './engine.ts';

/** container/Dockerfile as a user builds and runs it; the model stands in the same container, so that nothing leaves it. */

const MODEL_PORT = 8765;
/** What the image `node:…` has as its user. */
const NODE_UID = 1000;

const ENVIRONMENT = {
  ANTHROPIC_API_KEY: 'dummy',
  ANTHROPIC_BASE_URL: `http://127.0.0.1:${MODEL_PORT}`,
  HTTP_PROXY: 'http://127.0.0.1:9',
  HTTPS_PROXY: 'http://127.0.0.1:9',
  NO_PROXY: '127.0.0.1,localhost',
};

/** Docker's own profiles keep a sandbox from being made within the container; docs/container.md says what this opens. */
const FOR_SHELL = ['--security-opt', 'seccomp=unconfined', '--security-opt', 'systempaths=unconfined'];

const WITH_AGENT = ['--env', 'ISTHMUS_CONFIG=/given/config.json'];

/** Others than this machine could reach a container's port, so that every agent needs one. */
const KEY = 'a-key-of-one-client';

const COMMAND = 'id --user; (sleep 60 &); echo $((6 * 7))';

const RULES = [
  {
    when: { tool: 'Bash', has_tool_result: false },
    replies: [{ content: [{ type: 'tool_use', name: 'Bash', input: { command: COMMAND, description: 'Run it' } }] }],
  },
  { when: { has_tool_result: true }, replies: [{ content: [{ type: 'text', text: 'It ran.' }] }] },
  { when: { text: 'Slowly.' }, replies: [{ content: [{ type: 'text', text: 'one two three four' }], gap_ms: 400 }] },
];

describe.skipIf(NO_ENGINE)(`the container ${NO_ENGINE ? `(SKIPPED: ${NO_ENGINE})` : '(a real engine)'}`, () => {
  const engine = new Engine();
  /** A folder of the container's user for its agent, and what it is given, which an agent must not reach. */
  let work: string;
  let given: string;

  beforeAll(async () => {
    await engine.start();
    engine.buildImage();
    work = join(engine.folder, 'work');
    given = join(engine.folder, 'given');
    mkdirSync(work);
    mkdirSync(given);
    chownSync(work, NODE_UID, NODE_UID);
    const agents = { worker: { level: 'shell', workspace: '/work', key: KEY } };
    writeFileSync(join(given, 'config.json'), JSON.stringify({ agents }));
    writeFileSync(join(given, 'rules.json'), JSON.stringify({ rules: RULES }));
  });
  afterEach(() => {
    engine.try('rm', '--force', '--volumes', 'isthmus');
  });
  afterAll(() => engine.stop());

  const variables = Object.entries(ENVIRONMENT).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
  const volumes = () => ['--volume', `${work}:/work`, '--volume', `${given}:/given:ro`];

  /** @param more flags of `docker run` */
  async function start(...more: string[]) {
    const port = await freePort();
    const published = ['--publish', `127.0.0.1:${port}:3456`];
    engine.docker('run', '--detach', '--name', 'isthmus', ...published, ...volumes(), ...variables, ...more, 'isthmus');
    const model = [
      'node',
      '/opt/isthmus/bin/scripted-model.js',
      '--port',
      `${MODEL_PORT}`,
      '--script',
      '/given/rules.json',
    ];
    engine.docker('exec', '--detach', 'isthmus', ...model);
    const url = `http://127.0.0.1:${port}`;
    await until('it is up', () =>
      // The engine takes connections before the container does, and forgets them.
      fetch(`${url}/health`, { signal: AbortSignal.timeout(1_000) }).then(
        async (health) => ((await health.json()) as { status: string }).status === 'ok',
        () => false,
      ),
    );
    return { port, url, client: sdkClient(url) };
  }
  const question = (content: string) => ({
    model: 'claude-sonnet-5',
    max_tokens: 100,
    messages: [{ role: 'user' as const, content }],
  });
  /** What the model received. */
  const received = () =>
    engine.docker(
      'exec',
      'isthmus',
      'node',
      '-e',
      `fetch('http://127.0.0.1:${MODEL_PORT}/requests').then(async (answer) => console.log(await answer.text()))`,
    );
  /** The processes of the container, as the kernel tells them. */
  const stats = () => engine.try('exec', 'isthmus', 'sh', '-c', 'cat /proc/[0-9]*/stat').output.split('\n');

  test('it serves clients of this machine as a user without rights, is healthy, and lets a turn finish after a stop', async () => {
    const { port, client } = await start('--health-interval', '1s', '--env', 'ISTHMUS_ALLOWED_HOSTS=gateway.team');
    expect(engine.docker('exec', 'isthmus', 'id', '--user')).toBe(String(NODE_UID));
    expect(await client.messages.create(question('Hello'))).toMatchObject({ content: [{ text: 'You said: Hello' }] });
    expect(await statusFor(port, `gateway.team:${port}`)).toBe(200);
    expect(await statusFor(port, `elsewhere.team:${port}`)).toBe(403);
    const health = () => engine.docker('inspect', '--format', '{{.State.Health.Status}}', 'isthmus');
    await until('the engine calls it healthy', () => health() === 'healthy');
    const slow = client.messages.stream(question('Slowly.'));
    const answer = slow.finalMessage();
    await until('the model answers', () => received().includes('Slowly.'));
    engine.docker('stop', '--time', '45', 'isthmus');
    expect(await answer).toMatchObject({ stop_reason: 'end_turn', content: [{ text: 'one two three four' }] });
    expect(engine.docker('inspect', '--format', '{{.State.ExitCode}}', 'isthmus')).toBe('0');
  });

  test('the engine’s own profiles keep an agent from running commands, and the start says so', () => {
    const { code, output } = engine.try(
      'run',
      '--name',
      'isthmus',
      ...volumes(),
      ...variables,
      ...WITH_AGENT,
      'isthmus',
    );
    expect(output).toContain('bwrap: No permissions to create new namespace');
    expect(code).toBe(CANNOT_START);
  });

  test('without them an agent runs a command in its sandbox, and no process that ended is left', async () => {
    const { url } = await start(...WITH_AGENT, ...FOR_SHELL);
    const asking = sdkClient(url, KEY).messages.create(question('Run it.'), { headers: { 'isthmus-agent': 'worker' } });
    expect(await asking).toMatchObject({ content: [{ text: 'It ran.' }] });
    expect(received()).toContain(`${NODE_UID}\\n42`);
    const pids = (isWanted: (stat: string) => boolean) =>
      stats()
        .filter(isWanted)
        .map((stat) => stat.split(' ')[0] ?? '');
    const claudes = pids((stat) => stat.includes('(claude)'));
    expect(claudes.length).toBeGreaterThan(0);
    engine.docker('exec', 'isthmus', 'sh', '-c', `kill -KILL ${claudes.join(' ')} || true`);
    await until('they are gone', () => stats().every((stat) => !claudes.includes(stat.split(' ')[0] ?? '')));
    await until('none waits to be reaped', () => pids((stat) => stat.includes(') Z')).length === 0);
  });
});

/** The status of a request under another name. */
async function statusFor(port: number, host: string): Promise<number | undefined> {
  const sending = request({ port, path: '/health', headers: { host } }).end();
  const [response] = (await once(sending, 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode;
}
