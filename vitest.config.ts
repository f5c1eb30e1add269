import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['test/support/build.ts'],
    // Each test above unit level starts real processes; two cores carry two files at a time.
    maxWorkers: 2,
    // Against a test that hangs, on a machine that others keep busy too.
    testTimeout: 900_000,
    hookTimeout: 300_000,
  },
});
