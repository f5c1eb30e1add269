import { afterEach } from 'vitest';
import { ScriptedModel } from '../../scripted-model/server.ts';
import { asTheModelSees } from '../support/as-the-model-sees.ts';
import { startEngine } from '../support/engine.ts';
import { OwnCalls } from '../support/own-calls.ts';
import { describeEngine } from './conformance.ts';
import type { EngineUnderTest } from './engine-under-test.ts';
import { describeLoads } from './load-conformance.ts';

const ownCalls = new OwnCalls();
afterEach(ownCalls.refuse);

async function makeEngine(): Promise<EngineUnderTest> {
  const model = await ScriptedModel.start({ onRequest: ownCalls.hear });
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

describeEngine('the engine over the Agent SDK', makeEngine);
describeLoads('the engine over the Agent SDK', makeEngine);
