import fc from 'fast-check';
import { afterAll, beforeAll, test } from 'vitest';
import type { WireMessage } from '../support/as-the-model-sees.ts';
import { checkProperty, depthOf } from '../support/depth.ts';
import { InProcessGateway } from '../support/gateway-in-process.ts';
import { holdTakenBack, returned } from '../support/taken-back.ts';

let house: InProcessGateway;
beforeAll(async () => {
  house = await InProcessGateway.start([], { reuses: false });
});
afterAll(() => house?.stop());

test('any answer is taken back, by a live process and by replay', { tags: ['soak'] }, async () => {
  const depth = depthOf('answersTakenBack');
  await checkProperty(
    depth,
    fc.asyncProperty(returned, async (given) => {
      if (depth.isOver()) return;
      const before = house.calls.length;
      await holdTakenBack(
        {
          url: house.url,
          use: (replies) => house.use([{ replies }]),
          calls: () => house.calls.slice(before).map(({ messages }) => messages as WireMessage[]),
        },
        given,
      );
    }),
  );
});
