import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ModelRequest, RuleFunction } from '../../scripted-model/script.ts';
import { makeWorkspace } from '../support/agents.ts';
import { type BrowserPage, CHROMIUM, Chromium } from '../support/chromium.ts';
import { documentBlocks } from '../support/document-blocks.ts';
import { freePort } from '../support/free-port.js';
import { until } from '../support/gateway.ts';
import { onStage } from './checks.ts';
import { text, turnRule, use } from './rules.ts';
import { type Observation, pathsOf } from './stage.ts';

/** Deep Chat, a chat component for web pages, in the page of docs/agents.md, which talks to an agent from Chromium. */

const WORKSPACE = makeWorkspace({ 'numbers.txt': 'one\ntwo\nGröße 数 🌊\n' });
const FILE = { file_path: WORKSPACE.file('numbers.txt') };
const COMPONENT = join(
  process.env.ISTHMUS_CLIENTS_DEEP_CHAT ?? '',
  ...['node_modules', 'deep-chat', 'dist', 'deepChat.bundle.js'],
);
/** Where the page is, and a foreign one with the same words. */
const PAGE = `http://127.0.0.1:${await freePort()}`;
const FOREIGN = `http://127.0.0.1:${await freePort()}`;

const stage = onStage({
  docs: { level: 'edit', workspace: WORKSPACE.path, model: 'claude-sonnet-5', showSteps: true, origins: [PAGE] },
});

afterAll(() => WORKSPACE.remove());

/** The page of the documents, with the component from here in place of the one from the web. */
function page(): string {
  const block = documentBlocks().find(({ language, text: page }) => language === 'html' && page.includes('deep-chat'));
  return (block?.text ?? '')
    .replace(/https:[^"]*deepChat\.bundle\.js/, '/component.js')
    .replace('http://127.0.0.1:3456', stage().url);
}

async function serve(origin: string): Promise<() => void> {
  const server = createServer(({ url }, response) => {
    const [type, body] = url === '/component.js' ? ['text/javascript', readFileSync(COMPONENT)] : ['text/html', page()];
    response.setHeader('content-type', type).end(body);
  });
  await once(server.listen(Number(new URL(origin).port), '127.0.0.1'), 'listening');
  return () => server.close().closeAllConnections();
}

const SHOWN = `document.querySelector('#chat').shadowRoot.querySelector('#messages')`;
/** Waits for a page that has just been opened, or opened again; `seen` of it is what it shows, one text after the other. */
async function watch(chat: BrowserPage): Promise<void> {
  const isThere = `typeof seen === 'undefined' && Boolean(document.querySelector('#chat')?.shadowRoot && ${SHOWN})`;
  await until('the chat is there', () => chat.evaluate<boolean>(isThere));
  await chat.evaluate(`{
    const messages = ${SHOWN};
    globalThis.seen = [];
    const look = new MutationObserver(() => seen.push(messages.innerText));
    look.observe(messages, { childList: true, subtree: true, characterData: true });
  }`);
}

/** Says something as a user does, by the keyboard, and waits for the end of the answer. */
async function say(chat: BrowserPage, words: string, end: string): Promise<string> {
  await chat.evaluate(`document.querySelector('#chat').focusInput()`);
  await chat.type(words);
  await until(`the page shows “${end}”`, async () => (await shown(chat)).includes(end));
  return await shown(chat);
}

const shown = (chat: BrowserPage) => chat.evaluate<string>(`${SHOWN}.innerText`);

/** As {@link turnRule}, for a process that puts reminders behind the newest message. */
function agentRule(prompt: string, ...steps: Parameters<typeof turnRule>[1][]): RuleFunction {
  const rule = turnRule(prompt, ...steps);
  return (request: ModelRequest) =>
    rule({ ...request, messages: request.messages.filter(({ role }) => role !== 'system') });
}

it('the page of the documents has the component, and the agent’s path', () => {
  expect(page()).toContain('"/component.js"');
  expect(page()).toContain(`'${stage().url}/agents/docs/v1/chat/completions'`);
});

// Declared only where it can hold: a check that was not reached counts as failed.
if (CHROMIUM) describe('a chat page in Chromium', checksInChromium);
else console.log('chat-page: SKIPPED in a browser, since Chromium is not on PATH');

function checksInChromium(): void {
  let browser: Chromium;
  let closings: Array<() => void>;
  let first: Observation<string>;
  let seen: string[];
  let next: Observation<string>;
  let reloaded: string;
  let afterReload: Observation<string>;
  let afterRestart: Observation<string>;
  let foreign: string;

  beforeAll(async () => {
    closings = [await serve(PAGE), await serve(FOREIGN)];
    browser = Chromium.start();
    stage().script(
      agentRule(
        'Put the second',
        [text('First I read it.'), use('toolu_read', 'Read', FILE)],
        [use('toolu_edit', 'Edit', { ...FILE, old_string: 'two', new_string: 'zwölf 🌊' })],
        [text('The second is put right.')],
      ),
      agentRule('What was it', [text('It was two.')]),
      agentRule('And the third', [text('It is Größe 数.')]),
      agentRule('And the first', [text('It is one, as ever.')]),
    );
    const chat = await browser.open(PAGE);
    await watch(chat);
    first = await stage().observe(() => say(chat, 'Put the second number right', 'put right.'));
    seen = await chat.evaluate<string[]>('seen');
    next = await stage().observe(() => say(chat, 'What was it before?', 'It was two.'));
    await chat.reload();
    await watch(chat);
    reloaded = await shown(chat);
    afterReload = await stage().observe(() => say(chat, 'And the third?', 'Größe 数.'));
    await stage().restartGateway();
    await stage().restartGateway();
    // The foreign page asks within the same time, since what comes of it is no request.
    afterRestart = await stage().observe(async () => {
      const other = await browser.open(FOREIGN);
      await watch(other);
      foreign = await say(other, 'What was it before?', 'Error');
      return await say(chat, 'And the first?', 'as ever.');
    });
  });

  afterAll(async () => {
    await browser?.close();
    for (const close of closings ?? []) close();
  });

  it('speaks OpenAI’s chat completions below the agent’s path, with a model of OpenAI', () => {
    for (const { exchanges } of [first, next, afterReload, afterRestart]) {
      expect(exchanges.map(({ path, status, outcome }) => [path, status, outcome])).toEqual([
        ['/agents/docs/v1/chat/completions', 200, 'whole'],
      ]);
      expect(exchanges[0]?.body.model).toMatch(/^gpt-/);
    }
  });
  it('the agent has done in its workspace what it was asked for', () => {
    expect(WORKSPACE.read('numbers.txt')).toBe('one\nzwölf 🌊\nGröße 数 🌊\n');
  });
  it('shows the words and the steps as they come, each on its line', () => {
    const answer = ['First I read it.', '→ Read numbers.txt', '→ Edit numbers.txt', 'The second is put right.'];
    const lines = first.run.split('\n').filter((line) => line.trim() !== '');
    expect(lines.slice(-answer.length)).toEqual(answer);
    for (const part of answer.slice(0, -1)) {
      expect(seen.some((whole) => whole.includes(part) && !whole.includes(answer.at(-1) ?? ''))).toBe(true);
    }
  });
  it('goes on in the live process, after a reload too, and after a restart of the gateway with all steps', () => {
    expect([first, next, afterReload].flatMap(pathsOf)).toEqual(['start', 'continue', 'continue']);
    expect(reloaded).toContain('It was two.');
    expect(pathsOf(afterRestart)).toEqual(['replay']);
    const [replayed] = afterRestart.exchanges;
    expect(replayed?.answerHeaders['isthmus-session']).toBe(first.exchanges[0]?.answerHeaders['isthmus-session']);
    expect(JSON.stringify(afterRestart.seen.at(-1)?.body.messages)).toContain('toolu_edit');
  });
  it('a page of another origin gets nothing, and shows that', () => {
    expect(foreign).not.toContain('It was two.');
    const preflights = afterRestart.others.filter(({ method }) => method === 'OPTIONS');
    expect(preflights.map(({ status }) => status)).toContain(403);
    expect(afterRestart.exchanges).toHaveLength(1);
    expect(afterRestart.seen).toHaveLength(1);
  });
}
