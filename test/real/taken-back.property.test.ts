import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, test } from 'vitest';
import { type ScriptedModel, startScriptedModel } from '../../scripted-model/testing.ts';
import type { WireMessage } from '../support/as-the-model-sees.ts';
import { checkProperty, depthOf } from '../support/depth.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { OwnCalls } from '../support/own-calls.ts';
import { EXAMPLES, holdTakenBack, returned } from '../support/taken-back.ts';

/** The same over the real SDK as test/gateway/taken-back.property.test.ts over the test engine. */

const ownCalls = new OwnCalls();
afterEach(ownCalls.refuse);

let model: ScriptedModel;
let gateway: TestGateway;
beforeAll(async () => {
  model = await startScriptedModel({ onRequest: ownCalls.hear });
  gateway = await startGateway(model.url, ['--spares', '1', '--max-processes', '4']);
});
afterAll(async () => {
  await gateway?.stop();
  await model?.close();
});

test('any answer is taken back, by a live process and by replay', { tags: ['quick', 'soak'] }, async () => {
  const depth = depthOf('answersTakenBackByTheSdk');
  await checkProperty(
    depth,
    fc.asyncProperty(returned, async (given) => {
      if (depth.isOver()) return;
      await holdTakenBack(
        {
          url: gateway.url,
          use: (replies) => model.restart([{ replies }]),
          calls: () => model.requests.map(({ body }) => body.messages as WireMessage[]),
        },
        given,
      );
    }),
    { endOnFailure: true, examples: EXAMPLES },
  );
});
