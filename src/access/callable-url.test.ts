import { expect, test } from 'vitest';
import { callableUrl } from './callable-url.ts';

test.each([
  ['127.0.0.1', 'http://127.0.0.1:3456'],
  ['localhost', 'http://localhost:3456'],
  ['::1', 'http://[::1]:3456'],
  ['0.0.0.0', 'http://127.0.0.1:3456'],
  ['::', 'http://[::1]:3456'],
  ['fe80::1', 'http://[fe80::1]:3456'],
  ['192.168.1.5', 'http://192.168.1.5:3456'],
])('what listens on %s is called at %s', (host, url) => {
  expect(callableUrl({ host, port: 3456 })).toBe(url);
});
