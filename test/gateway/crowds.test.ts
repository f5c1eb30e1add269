import type { Anthropic } from '@anthropic-ai/sdk';
import { afterEach, expect, test } from 'vitest';
import { until } from '../support/gateway.ts';
import { goOn, InProcessGateway, type InProcessOptions } from '../support/gateway-in-process.ts';

/** Many new conversations at once, as evaluations send them: each a question and an answer. */

let house: InProcessGateway;
afterEach(() => house?.stop());

/** Each turn that is asked to wait goes on when its function is called. */
let goes: Array<() => void>;

async function setUp(options: InProcessOptions) {
  goes = [];
  const pause = () => ({ after_events: 0, until: new Promise<void>((resolve) => goes.push(resolve)) });
  house = await InProcessGateway.start(
    [({ messages }) => (JSON.stringify(messages).includes('wait') ? { content: TEXT, pause: pause() } : undefined)],
    options,
  );
  return house;
}

const TEXT = [{ type: 'text' as const, text: 'an answer' }];
const NO_TOOLS = { tools: [] };
const first = (content: string): Anthropic.MessageParam[] => [{ role: 'user', content }];
const pathOf = async (turn: ReturnType<InProcessGateway['ask']>) => (await turn).response.headers.get('isthmus-path');

test('forty get through six processes, each of which is used as soon as it has answered', async () => {
  const { engine, gateway, calls } = await setUp({ processes: 6, queueLength: 40 });
  const asked = Array.from({ length: 40 }, (_, index) => house.ask(`wait ${index}`, NO_TOOLS));
  for (let answered = 0; answered < 40; answered += 1) {
    await until('the next is asked', () => calls.length === Math.min(40, 6 + answered));
    await until('the others wait', () => gateway.status.waiting === Math.max(0, 34 - answered));
    await until('as many stream', () => gateway.status.processes.streaming === Math.min(6, 40 - answered));
    expect(engine.processes.length).toBeLessThanOrEqual(6);
    goes[answered]?.();
  }
  const answers = await Promise.all(asked);
  expect(answers.map(({ response }) => response.status)).toEqual(answers.map(() => 200));
  expect(new Set(calls.map(({ process }) => process)).size).toBe(6);
});

test('a finished one-shot leaves before what may go on: one with tools, and one that was replayed', async () => {
  const { engine } = await setUp({ processes: 3 });
  const withTools = await house.ask('with tools');
  const back = goOn(first('hi'), [{ type: 'text', text: 'Hello.', citations: null }]);
  const replayed = await house.ask(back, NO_TOOLS);
  await house.ask('a one-shot', NO_TOOLS);
  const oneShot = engine.processes.at(-1);
  await house.ask('another', { ...NO_TOOLS, key: 'another' });
  expect(oneShot?.state).toBe('ended');
  expect(await pathOf(house.ask(goOn(first('with tools'), withTools.data.content)))).toBe('continue');
  expect(await pathOf(house.ask(goOn(back, replayed.data.content), NO_TOOLS))).toBe('continue');
});

test('a conversation takes the spare that is coming up, and no process is spawned for it', async () => {
  let comeUp = () => {};
  const isUp = new Promise<void>((resolve) => {
    comeUp = resolve;
  });
  const { engine, gateway } = await setUp({ spares: 1, faults: { spawnSpare: isUp } });
  engine.faults.spawnSpare = 'fails';
  const turn = house.ask('hi');
  await until('its lineage is known', () => gateway.status.processes.spawning === 1);
  expect(engine.processes).toEqual([]);
  comeUp();
  expect(await pathOf(turn)).toBe('start');
  expect(engine.processes).toHaveLength(1);
  expect(engine.spares).toEqual([]);
});
