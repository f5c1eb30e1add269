import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type { Script } from '../../scripted-model/script.ts';
import type { ConversationProcess, Engine } from '../../src/spec/engine.ts';
import type { Seen } from '../support/as-the-model-sees.ts';

/** An engine, and what its conformance is seen by. */
export interface EngineUnderTest {
  engine: Engine;
  /** What the model answers from now on. */
  use(script: Script): void;
  /** The messages of each call of the model since the last {@link use}, as the model saw them. */
  calls(): Seen[][];
  /** Kills a process from outside. */
  kill(process: ConversationProcess): void;
  close(): Promise<void>;
}

/** Makes one engine for all tests of a suite, and has it without processes and without a script before each. */
export function setUpEngine(makeEngine: () => Promise<EngineUnderTest>, onMade: (made: EngineUnderTest) => void): void {
  let made: EngineUnderTest;
  beforeAll(async () => {
    made = await makeEngine();
    onMade(made);
  });
  beforeEach(() => made.use([]));
  afterEach(async () => {
    made.engine.endAll();
    await made.engine.allGone();
  });
  afterAll(() => made?.close());
}
