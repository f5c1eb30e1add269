import { expect, test } from 'vitest';
import { withoutProxy } from './run-client.ts';

const PROXY = { HTTPS_PROXY: 'http://proxy.example:8080' };

test.each([
  [{}, {}],
  [{ NO_PROXY: 'a' }, { NO_PROXY: 'a' }],
  [PROXY, { ...PROXY, NO_PROXY: '127.0.0.1', no_proxy: '127.0.0.1' }],
  [
    { ...PROXY, no_proxy: 'a,b' },
    { ...PROXY, NO_PROXY: 'a,b,127.0.0.1', no_proxy: 'a,b,127.0.0.1' },
  ],
])('the way to the gateway goes through no proxy: %j', (environment, expected) => {
  expect(withoutProxy(environment, '127.0.0.1')).toEqual(expected);
});
