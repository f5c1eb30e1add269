import { defineConfig } from 'vitest/config';

/** `npm run test:container`: the Dockerfile over a real engine. */
export default defineConfig({
  test: {
    include: ['test/container/**/*.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 900_000,
    expect: { poll: { timeout: 60_000 } },
  },
});
