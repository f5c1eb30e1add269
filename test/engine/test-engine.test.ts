import { ScriptedAnswers } from '../../test-engine/scripted-answers.ts';
import { TestEngine } from '../../test-engine/test-engine.ts';
import type { TestProcess } from '../../test-engine/test-process.ts';
import { asTheModelSees } from '../support/as-the-model-sees.ts';
import { describeEngine } from './conformance.ts';
import type { EngineUnderTest } from './engine-under-test.ts';
import { describeLoads } from './load-conformance.ts';

async function makeEngine(): Promise<EngineUnderTest> {
  const answers = new ScriptedAnswers();
  const engine = new TestEngine({ answer: answers.answer });
  return {
    engine,
    use: (script) => {
      answers.use(script);
      answers.calls.length = 0;
    },
    calls: () => answers.calls.map(({ messages }) => asTheModelSees(messages, { withThinking: false })),
    kill: (process) => (process as TestProcess).lose(),
    close: async () => undefined,
  };
}

describeEngine('the test engine', makeEngine);
describeLoads('the test engine', makeEngine);
