import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** It spends minutes in waiting for an address that does not answer; the other files run beside it. */
const isSlow = ({ moduleId }: TestSpecification) => moduleId.endsWith('/sdk-facts-first-party.test.ts');

class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return [...sorted.filter(isSlow), ...sorted.filter((file) => !isSlow(file))];
  }
}

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'scripted-model/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['test/support/build.ts'],
    sequence: { sequencer: SlowFirst },
    // Each test above unit level starts real processes; two cores carry two files at a time.
    maxWorkers: 2,
    // Against a test that hangs, on a machine that others keep busy too.
    testTimeout: 900_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 60_000 } },
  },
});
