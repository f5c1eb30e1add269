import type { AnswerMemory } from '../../src/dialects/dialect.ts';

/** Of a gateway that has just begun. */
export const noMemory: AnswerMemory = { get: () => undefined, put: () => undefined };
