// @ts-check

import { ANSWER, answerEvents, readWish, stampedDelta } from './answers.js';

/**
 * Answers at once or at a steady pace, so that the rest of a time is the gateway's own work. A conversation ends after its second
 * turn, so that only those that will be continued live; one that wishes it ends after its first.
 *
 * @param {import('../../test-engine/play.ts').ModelCall} call
 * @returns {import('../../test-engine/play.ts').Play}
 */
export const answer =
  ({ model, system, turn }) =>
  (stage) => {
    const [head, deltas, tail] = answerEvents(model);
    const { stream, leavesNothing } = readWish(system);
    const complete = () => {
      for (const event of tail) stage.push(event);
      stage.complete(ANSWER, { endsProcess: leavesNothing || turn > 1 });
    };
    for (const event of head) stage.push(event);
    if (!stream) {
      for (const event of deltas) stage.push(event);
      complete();
      return undefined;
    }
    let left = stream.events;
    const pace = setInterval(() => {
      stage.push(stampedDelta());
      left -= 1;
      if (left === 0) complete();
    }, stream.everyMs);
    return () => clearInterval(pace);
  };
