import fc from 'fast-check';
import { expect, test } from 'vitest';
import { depthOf } from '../../support/depth.ts';
import { type Conversation, call, FaultStage, words } from '../../support/fault-stage.ts';
import { until } from '../../support/gateway.ts';
import { childrenOf } from '../../support/process-table.ts';

/** More conversations than processes: each loses its process again and again, and none its history. */

const PROCESSES = 5;
/** Requests under way at a time; some more than there are processes, so that there is always a queue. */
const AT_A_TIME = 7;

const loop = fc.record({
  /** How many calls each answer before the last one makes. */
  calls: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }),
  stream: fc.boolean(),
  gap_ms: fc.constantFrom(0, 0, 5),
});

test('a burst of conversations keeps within the memory, also before their processes can be measured', async () => {
  const stage = await FaultStage.open(['--max-memory-mb', '445', '--spares', '0', '--spawns-at-a-time', '2']);
  const turns = Array.from({ length: 8 }, () => stage.conversation().next({ delay_ms: 100_000 }));
  const sockets = turns.map((turn) => turn.sendAlone().socket);
  await until('as many as there is room for are asked', () => stage.model.requests.length === 2);
  const { memoryBytes } = await stage.gateway.health();
  await until('they are measured', async () => (await stage.gateway.health()).memoryBytes !== memoryBytes);
  // They hold less than they were counted as: there is room for one more, and after the next measuring perhaps for another.
  for (let look = 0; look < 20; look += 1) {
    expect((await stage.gateway.health()).waiting).toBeGreaterThanOrEqual(4);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  for (const socket of sockets) socket.resetAndDestroy();
  await stage.close();
});

test(`a crowd of conversations takes its turns on ${PROCESSES} processes`, { tags: ['soak'] }, async () => {
  const { runs, seed, isOver } = depthOf('crowd');
  const [plans = []] = fc.sample(
    fc.array(fc.array(loop, { minLength: 1, maxLength: 2 }), { minLength: runs, maxLength: runs }),
    { seed, numRuns: 1 },
  );
  const stage = await FaultStage.open(['--max-processes', `${PROCESSES}`, '--spares', '1']);
  try {
    const steps = plans.map((loops) => {
      const conversation = stage.conversation();
      return loops.flatMap(({ calls, stream, gap_ms }) => [
        ...calls.map(
          (count) => () => take(conversation, call(...Array.from({ length: count }, (_, at) => `${at}`)), stream),
        ),
        () => take(conversation, { ...words(`an answer of seed ${seed}`), gap_ms }, stream),
      ]);
    });
    let taken = 0;
    const paths = new Set<string>();
    let most = 0;
    const sampler = setInterval(() => {
      most = Math.max(most, childrenOf(stage.gateway.child.pid).length);
    }, 250);
    const order = shuffler(seed);
    const waiting = new Set(steps.filter((turns) => turns.length > 0));
    const worker = async () => {
      while (waiting.size > 0 && !isOver()) {
        const turns = [...waiting][order(waiting.size)];
        if (!turns) return;
        waiting.delete(turns);
        taken += 1;
        paths.add((await turns.shift()?.()) ?? '');
        if (turns.length > 0) waiting.add(turns);
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, worker)).finally(() => clearInterval(sampler));
    expect(stage.model.requests).toHaveLength(taken);
    // With a queue that never empties hardly any process is there for its conversation's next turn.
    if (!isOver()) expect(paths).toContain('replay');
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(PROCESSES);
  } finally {
    await stage.close();
  }
});

function take(conversation: Conversation, reply: Parameters<Conversation['take']>[0], stream: boolean) {
  return conversation.take(reply, { stream });
}

/** Random numbers below a bound, the same ones for the same seed. */
function shuffler(seed: number): (bound: number) => number {
  let state = seed >>> 0;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}
