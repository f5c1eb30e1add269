import { afterEach, expect, test } from 'vitest';
import type { EngineReply } from '../../test-engine/reply.ts';
import { InProcessGateway } from '../support/gateway-in-process.ts';

/** What supervisors are told of the gateway. */

let house: InProcessGateway;
afterEach(() => house.stop());

const TEXT: EngineReply = { content: [{ type: 'text', text: 'some words' }] };
const REFUSED: EngineReply = { error: { status: 401, type: 'authentication_error', message: 'invalid x-api-key' } };

const ask = (name: string) => fetch(`${house.url}/${name}`);

/** The statuses of `/livez`, `/readyz` and `/health`, and what fails. */
async function statuses() {
  const [live, ready, health] = [await ask('livez'), await ask('readyz'), await ask('health')];
  const { checks } = (await ready.json()) as { checks: Record<string, string> };
  const failing = Object.keys(checks).filter((name) => checks[name] !== 'ok');
  return [live.status, ready.status, health.status, ...failing];
}

test('a credential that a turn was refused for counts as none until a turn is answered', async () => {
  house = await InProcessGateway.start([{ replies: [TEXT, REFUSED, TEXT] }]);
  await house.ask('one');
  expect(await statuses()).toEqual([200, 200, 200]);
  await expect(house.ask('two')).rejects.toMatchObject({ status: 401 });
  expect(await statuses()).toEqual([200, 503, 503, 'credential']);
  await house.ask('three');
  expect(await statuses()).toEqual([200, 200, 200]);
});

test('a login that has gone is missed at once, without a turn', async () => {
  house = await InProcessGateway.start([], { faults: { signIn: '1' } });
  expect(await statuses()).toEqual([200, 200, 200]);
  house.engine.faults.signIn = 'gone';
  expect(await statuses()).toEqual([200, 503, 503, 'credential']);
});

test('one that drains lives, and is not ready', async () => {
  house = await InProcessGateway.start();
  await house.gateway.drain(1);
  expect(await statuses()).toEqual([200, 503, 503, 'serving']);
});
