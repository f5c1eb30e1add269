import { defineConfig } from 'vitest/config';
import { SlowestFiles } from '../support/slowest-files.ts';
import { TableReporter } from './table-reporter.ts';

/** For `npm run test:clients`, which runs it where only loopback exists; the names keep `npm test` from these files. */
export default defineConfig({
  test: {
    include: ['test/clients/**/*.client.ts'],
    globalSetup: ['test/support/build.ts'],
    reporters: [new SlowestFiles(), new TableReporter()],
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 240_000,
  },
});
