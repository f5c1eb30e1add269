import { expect, test } from 'vitest';
import { whyOwn } from './usable-gateway.ts';

test('why the gateway of the settings is not used', () => {
  const url = 'http://127.0.0.1:3456';
  expect(whyOwn(undefined, url, '/run/s')).toBe('since clients call no Unix socket, such as /run/s');
  expect(whyOwn({ kind: 'stranger' }, url)).toBe(`since what listens on ${url} is not Isthmus`);
  expect(whyOwn({ kind: 'isthmus', health: { status: 'draining' } }, url)).toContain('says of itself: draining');
  expect(whyOwn({ kind: 'nobody', code: 'ECONNREFUSED' }, url)).toBeUndefined();
  expect(whyOwn(undefined, url)).toBeUndefined();
});
