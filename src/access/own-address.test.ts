import { networkInterfaces } from 'node:os';
import { expect, test } from 'vitest';
import { callableNames, isOwnAddress } from './own-address.ts';

const NAMES = ['box', '192.168.1.5', 'fd00::5'];

test.each([
  ['http://127.0.0.1:3456', '127.0.0.1'],
  ['http://localhost:3456/v1', '127.0.0.1'],
  ['http://[::1]:3456', '0.0.0.0'],
  ['http://0.0.0.0:3456', '127.0.0.1'],
  ['http://[::]:3456', '::'],
  ['http://192.168.1.5:3456', '192.168.1.5'],
  ['http://192.168.1.5:3456', '0.0.0.0'],
  ['http://[fd00::5]:3456', '::'],
  ['http://BOX:3456', '0.0.0.0'],
  ['http://gateway.lan:3456', 'Gateway.lan'],
])('%s leads back to %s', (url, host) => {
  expect(isOwnAddress(url, host, 3456, NAMES)).toBe(true);
});

test.each([
  ['http://127.0.0.1:3457', '127.0.0.1'],
  ['https://localhost', '127.0.0.1'],
  ['http://192.168.1.5:3456', '127.0.0.1'],
  ['http://localhost:3456', '192.168.1.5'],
  ['http://192.168.1.6:3456', '0.0.0.0'],
  ['https://api.anthropic.com', '0.0.0.0'],
  ['nonsense', '127.0.0.1'],
])('%s does not lead back to %s', (url, host) => {
  expect(isOwnAddress(url, host, 3456, NAMES)).toBe(false);
});

test('the machine’s own addresses are known', () => {
  const [{ address } = { address: '' }] = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  expect(isOwnAddress(`http://${address.includes(':') ? `[${address}]` : address}:1`, '0.0.0.0', 1)).toBe(true);
});

const ADDRESSES = ['127.0.0.1', '192.168.1.5', '::1', 'fe80::1', 'fd00::5'];

test.each([
  ['127.0.0.1', ['localhost', '127.0.0.1']],
  ['localhost', ['localhost']],
  ['0.0.0.0', ['localhost', '127.0.0.1', '192.168.1.5']],
  ['::', ['localhost', '127.0.0.1', '192.168.1.5', '::1', 'fd00::5']],
  ['192.168.1.5', ['192.168.1.5']],
])('what listens on %s is called by its own names, and by those that the operator allows', (host, own) => {
  expect(callableNames(host, ['gateway.team'], ADDRESSES)).toEqual([...own, 'gateway.team']);
});
