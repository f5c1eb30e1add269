import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ScriptedModel, startScriptedModel } from '../../../scripted-model/testing.ts';
import { credentialsFile, type SyntheticLogin, startSyntheticLogin } from '../../support/first-party/login.ts';
import { signIn, startGateway, type TestGateway, until } from '../../support/gateway.ts';
import { processesWith } from '../../support/process-table.ts';
import { QUICK } from '../../support/quick.ts';
import { testParts } from '../../support/test-parts.ts';

/** A `claude login` that runs out, is renewed, removed or made again while the gateway serves. */

const MINUTE = 60_000;

let home: string;
let model: ScriptedModel;
let login: SyntheticLogin;
let gateway: TestGateway;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'isthmus-test-'));
  model = await startScriptedModel();
});
afterEach(async () => {
  await gateway?.stop();
  await login?.close();
  await model.close();
});

async function start(lifetimeMs?: number): Promise<void> {
  login = await startSyntheticLogin(home, model.url, lifetimeMs);
  gateway = await startGateway(model.url, ['--spares', '0'], { home, env: login.variables });
}

/** The processes of the boot would renew it, too. */
async function startAndRunOut(): Promise<void> {
  await start();
  await until('only the gateway is left', () => processesWith(`HOME=${home}`).length === 1);
  login.expire();
}

const FIRST = [{ role: 'user', content: 'hi' }];

async function ask(messages: object[], stream = false) {
  const response = await fetch(`${gateway.url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'claude-sonnet-5', max_tokens: 100, stream, messages }),
  });
  const text = await response.text();
  return { status: response.status, path: response.headers.get('isthmus-path'), text };
}

const statuses = () =>
  Promise.all(['readyz', 'health'].map(async (name) => (await fetch(`${gateway.url}/${name}`)).status));

const whole = { status: 200, text: expect.stringContaining('end_turn') };
const more = (answer: { text: string }, words: string) => [
  ...FIRST,
  { role: 'assistant', content: JSON.parse(answer.text).content },
  { role: 'user', content: words },
];

test('a sign-in that runs out is renewed, and a first turn goes on unseen', QUICK, async () => {
  await startAndRunOut();
  login.renewalMs = 2_000;
  expect(await ask(FIRST, true)).toMatchObject(whole);
  expect(login.renewals).toBe(1);
  expect(login.tokens).toEqual(['sk-ant-oat01-dummy', 'sk-ant-oat01-renewed-1']);
  expect(model.requests).toHaveLength(1);
});

async function renewedAgainAndAgain(): Promise<void> {
  await start();
  const first = await ask(FIRST);
  expect(first).toMatchObject(whole);
  login.expire();
  login.renewalMs = 2_000;
  expect(await ask(more(first, 'more'))).toMatchObject(whole);
  expect(login.renewals).toBe(1);
  login.expire();
  expect(await ask([{ role: 'user', content: 'anew' }], true)).toMatchObject(whole);
  expect(login.renewals).toBe(2);
  expect(login.tokens).toEqual([
    'sk-ant-oat01-dummy',
    'sk-ant-oat01-dummy',
    'sk-ant-oat01-renewed-1',
    'sk-ant-oat01-renewed-1',
    'sk-ant-oat01-renewed-2',
  ]);
  expect(model.requests).toHaveLength(3);
}

async function renewedOnceForAll(): Promise<void> {
  await start();
  login.expire();
  login.renewalMs = 2_000;
  const answers = await Promise.all(['a', 'b', 'c'].map((content) => ask([{ role: 'user', content }])));
  for (const answer of answers) expect(answer).toMatchObject(whole);
  expect(login.renewals).toBe(1);
  expect(model.requests).toHaveLength(3);
}

async function renewedAtTheStart(): Promise<void> {
  await start(2 * MINUTE);
  expect(await ask(FIRST)).toMatchObject(whole);
  expect(login.renewals).toBe(1);
}

async function refused(): Promise<void> {
  await startAndRunOut();
  login.isRevoked = true;
  const { status, text } = await ask(FIRST);
  expect(status).toBe(401);
  expect(JSON.parse(text).error.type).toBe('authentication_error');
  // Claude Code drops a sign-in that it cannot renew, so the second try has none to send.
  expect(login.tokens).toEqual(['sk-ant-oat01-dummy']);
}

async function refusedOnceRenewed(): Promise<void> {
  await startAndRunOut();
  login.isBarred = true;
  expect(await ask(FIRST)).toMatchObject({ status: 401 });
  expect(login.renewals).toBe(1);
  expect(login.tokens).toEqual(['sk-ant-oat01-dummy', 'sk-ant-oat01-renewed-1']);
}

async function removed(): Promise<void> {
  await start();
  const first = await ask(FIRST);
  expect(await statuses()).toEqual([200, 200]);
  rmSync(credentialsFile(home));
  expect(await statuses()).toEqual([503, 503]);
  const without = await ask(more(first, 'more'));
  expect(without.status).toBe(401);
  expect(JSON.parse(without.text).error.message).toContain('`claude auth login`');
  signIn(home);
  expect(await statuses()).toEqual([200, 200]);
  expect(await ask(more(first, 'again'))).toMatchObject({ ...whole, path: 'replay' });
}

async function anothersSignIn(): Promise<void> {
  await start();
  const first = await ask(FIRST);
  signIn(home, undefined, 'somebody-else@example.test');
  expect(await ask(more(first, 'more'))).toMatchObject({ ...whole, path: 'replay' });
  expect(JSON.stringify(model.requests.map(({ body }) => body.messages))).not.toContain('example.test');
  expect(gateway.output()).not.toContain('announced');
}

const CHANGES: Array<[what: string, run: () => Promise<void>]> = [
  [
    'a sign-in that runs out again and again is renewed each time: streaming and not, first and later',
    renewedAgainAndAgain,
  ],
  ['turns that meet a sign-in that has run out share one renewal', renewedOnceForAll],
  ['a sign-in that is about to run out is renewed at the start', renewedAtTheStart],
  ['a sign-in that cannot be renewed is a 401 that says what to do', refused],
  ['a sign-in that is refused once renewed is a 401 after one more try', refusedOnceRenewed],
  ['a sign-in that is removed is a 401, and one that is made again pays at once', removed],
  ['another sign-in pays from the next turn on, and the model is not told whose it is', anothersSignIn],
];
/** It is renewed, it is not, and it is removed and made again. */
const EVERYDAY_CHANGES = [renewedOnceForAll, refused, removed];

testParts('loginsThatRunOut', CHANGES, { isEveryday: ([, run]) => EVERYDAY_CHANGES.includes(run) })(
  '%s',
  async (_what, run) => run(),
);
