import { afterEach } from 'vitest';
import { startScriptedModel } from '../../scripted-model/testing.ts';
import { asTheModelSees } from '../support/as-the-model-sees.ts';
import { startEngine } from '../support/engine.ts';
import { OwnCalls } from '../support/own-calls.ts';
import { partOf } from '../support/test-parts.ts';
import { describeEngine } from './conformance.ts';
import type { EngineUnderTest } from './engine-under-test.ts';
import { describeLoads } from './load-conformance.ts';

const ownCalls = new OwnCalls();
afterEach(ownCalls.refuse);

async function makeEngine(): Promise<EngineUnderTest> {
  const model = await startScriptedModel({ onRequest: ownCalls.hear });
  const { engine, close } = startEngine(model.url);
  await engine.introduction();
  return {
    engine,
    use: (script) => {
      model.use(script);
      model.requests.length = 0;
    },
    calls: () => model.requests.map(({ body }) => asTheModelSees(body.messages, { withThinking: false })),
    kill: ({ pid }) => {
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
    },
    close: async () => {
      await close();
      await model.close();
    },
  };
}

/** The test engine takes all of them every day. */
const EVERYDAY_CASES = [
  'is the raw events of the model, then `message_stop` with the answer that they fold to',
  'that breaks by %s has its events, then one failure, and the process ends',
  'whose call has an input that is no JSON is complete, and says that its answer is not',
  'takes the results when it holds calls, in their order',
  'that is %s ends when the client has gone before it takes the turn',
  'fails its next turn as data, too',
  '%s is the failure of its turn, `client_gone` unless told',
  'by a kill while it waits is told, and it takes nothing any more',
  'hears of the spawn before the first event, of each completed turn, and of the end',
  'becomes the process of a conversation, and its end is harmless then',
  'whose client has gone is not claimed, and is gone',
  'ends every process, also those that nobody has yet, and says when they are gone',
  'with a history, and calls no model for it',
  'that is its own from %s',
  'when it holds calls, which it then forgets',
  'and its tools, which it then calls',
  'also as a spare',
];
const test = partOf('engine', EVERYDAY_CASES);

describeEngine('the engine over the Agent SDK', makeEngine, test);
describeLoads('the engine over the Agent SDK', makeEngine, test);
