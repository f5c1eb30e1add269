import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { SETTINGS } from '../../src/config/setting-table.ts';
import { ROOT } from '../support/gateway.ts';

const { services } = parse(readFileSync(join(ROOT, 'compose.yaml'), 'utf8'));

test('the compose file publishes on this machine alone, and lets running turns finish after a stop', () => {
  const { build, ports, stop_grace_period: grace } = services.isthmus;
  expect(existsSync(join(ROOT, build.context, build.dockerfile))).toBe(true);
  expect(ports).toEqual(['127.0.0.1:3456:3456']);
  expect(grace).toMatch(/^\d+s$/);
  expect(Number.parseInt(grace, 10)).toBeGreaterThan(SETTINGS['drain-seconds'].default);
});
