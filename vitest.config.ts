import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { WORKERS } from './test/support/depth.ts';
import { KILLED_TOO_LATE } from './test/support/own-calls.ts';
import { SlowestFiles } from './test/support/slowest-files.ts';

/** Vitest runs large files first, as the slow ones; these are small and slow, as their tests stand elsewhere. */
class FactsFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isOfFacts = ({ moduleId }: TestSpecification) => moduleId.includes('/sdk-facts/');
    return [...sorted.filter(isOfFacts), ...sorted.filter((file) => !isOfFacts(file))];
  }
}

/** What each project and tag holds is in test/README.md. */
export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'scripted-model/**/*.test.ts', 'test/unit/**/*.test.ts'],
          // Pure tests have nothing to keep apart, and loading the code once for all of them is most of the time.
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'gateway',
          include: ['test-engine/**/*.test.ts', 'test/gateway/**/*.test.ts', 'test/engine/test-engine.test.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'real',
          include: ['test/real/**/*.test.ts', 'test/engine/claude-engine.test.ts', 'test/sdk-recordings/**/*.test.ts'],
          globalSetup: ['test/support/build.ts'],
          // A race that a sound gateway loses once in hundreds, and one that does not kill loses each time.
          retry: { count: 4, condition: new RegExp(KILLED_TOO_LATE) },
        },
      },
    ],
    tags: [
      { name: 'quick', description: 'Of test/real: what `npm test` runs too.' },
      { name: 'soak', description: 'Runs deeper, with the seed of the day, in `npm run test:soak`.' },
    ],
    maxWorkers: WORKERS,
    sequence: { sequencer: FactsFirst },
    // Against a test that hangs, on a machine that others keep busy too.
    testTimeout: 1_800_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 60_000 } },
    reporters: ['default', new SlowestFiles()],
  },
});
