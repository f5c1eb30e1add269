import { expect, test } from 'vitest';
import { guardRequest, pageOrigin } from './request-guard.ts';

const guard = (host: string | undefined, origin?: string, bind = '127.0.0.1', localAddress = '127.0.0.1') =>
  guardRequest({ host, origin, site: undefined, localAddress }, bind)?.code;

test.each(['localhost:3456', '127.0.0.1:3456', '127.1.2.3', '[::1]:3456', 'LOCALHOST'])(
  'lets the loopback name %s in',
  (host) => {
    expect(guard(host)).toBeUndefined();
  },
);

test('lets the bind address and the connection’s own address in', () => {
  expect(guard('10.0.0.5:3456', undefined, '10.0.0.5', '10.0.0.5')).toBeUndefined();
  expect(guard('gateway.lan', undefined, 'Gateway.lan', '10.0.0.5')).toBeUndefined();
  expect(guard('10.0.0.5:3456', undefined, '0.0.0.0', '::ffff:10.0.0.5')).toBeUndefined();
});

test.each([
  'evil.example',
  'localhost.evil.example:3456',
  '127.0.0.1.evil.example',
  '10.0.0.5',
  '0.0.0.0',
  '',
  undefined,
  'a b',
])('refuses the host %j', (host) => {
  expect(guard(host)).toBe('forbidden_host');
});

test('lets in the names that the operator allows, and no others', () => {
  const sent = (host: string) => ({ host, origin: undefined, site: undefined, localAddress: '172.17.0.2' });
  const guarded = (host: string) => guardRequest(sent(host), '0.0.0.0', ['gateway.team', 'host.docker.internal'])?.code;
  for (const host of ['gateway.team', 'Gateway.Team:3456', 'host.docker.internal:3456', '172.17.0.2', 'localhost'])
    expect(guarded(host)).toBeUndefined();
  for (const host of ['team', 'evil.gateway.team', 'gateway.team.evil.example'])
    expect(guarded(host)).toBe('forbidden_host');
});

test('over a Unix socket, which has no address, lets loopback names and allowed ones in', () => {
  const guarded = (host: string) =>
    guardRequest({ host, origin: undefined, site: undefined, localAddress: undefined }, 'localhost', ['gateway.team'])
      ?.code;
  for (const host of ['localhost', '127.0.0.1:80', 'gateway.team']) expect(guarded(host)).toBeUndefined();
  for (const host of ['', 'evil.example', 'undefined']) expect(guarded(host)).toBe('forbidden_host');
});

test('the refusal of a host says how to allow it', () => {
  const words = (host: string) =>
    guardRequest({ host, origin: undefined, site: undefined, localAddress: '172.17.0.2' }, '0.0.0.0')?.message;
  expect(words('Host.Docker.Internal:3456')).toContain('--allowed-hosts host.docker.internal ');
  expect(words('$(evil)')).toContain('--allowed-hosts NAME ');
});

test('lets its own origin in and refuses every other', () => {
  expect(guard('localhost:3456', 'http://localhost:3456')).toBeUndefined();
  for (const origin of ['http://localhost:8080', 'https://localhost:3456', 'http://evil.example', 'null', '']) {
    expect(guard('localhost:3456', origin)).toBe('forbidden_origin');
  }
});

test('lets in what a browser says comes from its own origin or its user, and refuses every other site', () => {
  const sent = { host: 'localhost:3456', origin: undefined, localAddress: '127.0.0.1' };
  for (const site of ['same-origin', 'none', undefined])
    expect(guardRequest({ ...sent, site }, '127.0.0.1')).toBeUndefined();
  for (const site of ['cross-site', 'same-site', 'another'])
    expect(guardRequest({ ...sent, site }, '127.0.0.1')?.code).toBe('forbidden_origin');
});

test('lets a listed page in, and only by the gateway’s own name', () => {
  const sent = { origin: 'https://chat.example', site: 'cross-site', localAddress: '127.0.0.1', isListed: true };
  expect(guardRequest({ ...sent, host: 'localhost:3456' }, '127.0.0.1')).toBeUndefined();
  expect(guardRequest({ ...sent, host: 'chat.example' }, '127.0.0.1')?.code).toBe('forbidden_host');
});

test.each([
  [{ origin: 'https://chat.example', site: 'cross-site' }, 'https://chat.example'],
  [{ origin: undefined, site: 'same-origin' }, 'http://127.0.0.1:3456'],
  [{ origin: undefined, site: 'none' }, undefined],
  [{ origin: undefined, site: undefined }, undefined],
])('the page that sends %j has the origin %s', (sent, expected) => {
  expect(pageOrigin({ host: '127.0.0.1:3456', ...sent })).toBe(expected);
});
