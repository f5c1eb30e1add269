import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { type Query, query, type SDKUserMessage, type SessionStoreEntry } from '@anthropic-ai/claude-agent-sdk';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type ScriptedModel, startScriptedModel } from '../../../scripted-model/testing.ts';
import { EventQueue } from '../../../src/async/event-queue.ts';
import { type Announcement, announcementsIn } from '../../../src/engine/announcements/announcement.ts';
import { findExecutable } from '../../../src/engine/environment/executable.ts';
import { ToolNames } from '../../../src/engine/parameters/tool-names.ts';
import { toOptions } from '../../../src/engine/process/profile.ts';
import { toTranscript } from '../../../src/engine/replay/transcript.ts';
import { finish, NO_LISTENER, request, startEngine, user } from '../../support/engine.ts';
import { surroundings, until } from '../../support/gateway.ts';
import { QUICK } from '../../support/quick.ts';

/** What Claude Code announces in full mode, and what keeps it silent: nothing of this is documented. */

const TOKEN = { ANTHROPIC_API_KEY: '', CLAUDE_CODE_OAUTH_TOKEN: 'dummy' };
const MODEL = 'claude-opus-5-5';

let model: ScriptedModel;
const closers: Array<() => unknown> = [];
beforeAll(async () => {
  model = await startScriptedModel();
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  model.restart([]);
});
afterAll(() => model.close());

const texts = (at: number) => JSON.stringify(model.requests[at]?.body.messages);

/** A process of the bare SDK that has answered one message, with these announcements in its transcript. */
async function answered(announced: Announcement[], variables: Record<string, string> = {}) {
  const { home, env, remove } = surroundings(model.url, { ...TOKEN, ...variables });
  const work = join(home, 'work');
  mkdirSync(work);
  const transcript = toTranscript([user('hi')], MODEL, work, new ToolNames([]), announced);
  const entries: SessionStoreEntry[] = [];
  const input = new EventQueue<SDKUserMessage>();
  const sdkQuery: Query = query({
    prompt: input,
    options: {
      ...toOptions({
        tools: [],
        permissionMode: 'dontAsk',
        allowedTools: [],
        workingDirectory: work,
        environment: {
          ...env,
          CLAUDE_CODE_RESUME_INTERRUPTED_TURN: '1',
          CLAUDE_CODE_EFFORT_LEVEL: 'auto',
          CLAUDE_CODE_TOTAL_TOKENS_REMINDER: 'off',
        },
        settingSources: [],
        session: {
          resumes: transcript.sessionId,
          store: { append: async (_key, added) => void entries.push(...added), load: async () => transcript.entries },
        },
      }),
      model: MODEL,
      pathToClaudeCodeExecutable: findExecutable(undefined).path,
    },
  });
  closers.push(() => {
    sdkQuery.close();
    remove();
  });
  const untilResult = async () => {
    for (;;) {
      const { value, done } = await sdkQuery.next();
      if (done || value.type === 'result') return;
    }
  };
  await untilResult();
  return {
    work,
    /** What it announced, once the transcript has come. */
    announced: async () => {
      await until('the date is announced', () => announcementsIn(entries).some(({ type }) => type === 'date'));
      return announcementsIn(entries);
    },
    moveTo: (zone: string) => sdkQuery.applyFlagSettings({ env: { TZ: zone } }),
    async say(words: string) {
      input.push({ type: 'user', message: { role: 'user', content: words }, parent_tool_use_id: null });
      await untilResult();
    },
  };
}

test('a process announces its folder, the model and the date, the model’s name by the model alone', async () => {
  const { announced, work } = await answered([], { TZ: 'Etc/GMT-14' });
  const date = new Date(Date.now() + 14 * 3_600_000).toISOString().slice(0, 10);
  expect(await announced()).toEqual([
    { type: 'environment', snapshot: expect.objectContaining({ workingDirectory: work }) },
    { type: 'model', identity: expect.objectContaining({ modelId: MODEL }), text: expect.any(String) },
    { type: 'date', date },
  ]);
  expect(texts(0)).toContain(work);
});

test('an announcement that does not fit is made', async () => {
  const { announced } = await answered([{ type: 'date', date: '2001-01-01' }]);
  await announced();
  expect(texts(0)).toContain('The date has changed');
});

test('a live process announces a new date with its next call', async () => {
  const { moveTo, say } = await answered([], { TZ: 'Pacific/Pago_Pago' });
  await moveTo('Pacific/Kiritimati');
  await say('and now?');
  expect(texts(1)).toContain('The date has changed');
});

test('without a probe the model sees an announcement once, and the next process is silent', async () => {
  const { engine, learned, close } = startEngine(model.url, TOKEN);
  closers.push(() => {
    engine.endAll();
    return close();
  });
  const once = () => finish(engine.replay(request([user(`hi ${randomUUID()}`)]), NO_LISTENER));
  await once();
  expect(texts(0)).toContain('system-reminder');
  expect(texts(0)).not.toContain('date is');
  await until('all is learned', () => learned.length === 2);
  expect(learned).toEqual([
    ['announced', { type: 'environment', model: 'claude-sonnet-5' }],
    ['announced', { type: 'model', model: 'claude-sonnet-5' }],
  ]);
  await once();
  expect(texts(1)).not.toContain('system-reminder');
});

test('a probe goes to no proxy of the operator’s', async () => {
  let connections = 0;
  const proxy = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const proxies = { HTTP_PROXY: url, HTTPS_PROXY: url, ALL_PROXY: url, NO_PROXY: '' };
  const { engine, learned, close } = startEngine(model.url, { ...TOKEN, ...proxies });
  closers.push(() => {
    proxy.close();
    engine.endAll();
    return close();
  });
  await engine.prepare({ model: 'claude-sonnet-5' });
  expect(connections).toBe(0);
  expect(learned).toEqual([]);
  // A turn does go there.
  await finish(engine.replay(request([user('hi')]), NO_LISTENER));
  expect(connections).toBeGreaterThan(0);
  expect(model.requests).toEqual([]);
});

test('a probe learns all of it without a call of the model, and the first process is silent', QUICK, async () => {
  const { engine, learned, close } = startEngine(model.url, TOKEN);
  closers.push(() => {
    engine.endAll();
    return close();
  });
  await engine.prepare({ model: 'claude-sonnet-5' });
  expect(model.requests).toEqual([]);
  await finish(engine.replay(request([user('hi')]), NO_LISTENER));
  expect(model.requests[0]?.body.messages).toEqual([
    { role: 'user', content: [{ type: 'text', text: 'hi', cache_control: expect.anything() }] },
  ]);
  expect(learned).toEqual([]);
});
