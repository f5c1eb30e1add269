import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../support/gateway.ts';

test('no package of the whole tree runs a script when it is installed', () => {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  // npm notes it of each package of the registry.
  const scripted = Object.keys(packages).filter((path) => path !== '' && packages[path].hasInstallScript);
  expect(scripted).toEqual([]);
  expect(Object.keys(packages).length).toBeGreaterThan(100);
});
