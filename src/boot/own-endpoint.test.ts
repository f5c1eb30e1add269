import { expect, test } from 'vitest';
import { endpointProblem } from './own-endpoint.ts';

test.each([
  [3456, '--port 3457'],
  [65_535, '--port 65534'],
])('for port %d, which is in use, one is named that there is', (port, other) => {
  const said = endpointProblem(Object.assign(new Error(), { code: 'EADDRINUSE' }), { host: '127.0.0.1', port });
  expect(said).toContain(`choose another port: ${other}.`);
});
