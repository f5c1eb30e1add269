import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { failure } from '../spec/failures.ts';
import { CredentialHealth } from './credential-health.ts';

beforeEach(() => vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => vi.useRealTimers());

const engine: { signIn: string | undefined } = { signIn: undefined };
const health = (signIn?: string) => {
  engine.signIn = signIn;
  return new CredentialHealth(engine);
};

test('a login that is gone is missed until there is another', () => {
  const credential = health('1');
  expect(credential.state).toBe('ok');
  engine.signIn = 'gone';
  expect(credential.state).toBe('missing');
  engine.signIn = '2';
  expect(credential.state).toBe('ok');
});

test.each([failure('not_signed_in'), failure('upstream_error', { status: 401 })])(
  'a turn that nobody pays counts until one is answered: $code',
  (found) => {
    const credential = health();
    credential.failed(found);
    expect(credential.state).toBe('refused');
    credential.failed(failure('upstream_error', { status: 500 }));
    expect(credential.state).toBe('refused');
    credential.works();
    expect(credential.state).toBe('ok');
  },
);

test('it counts no more when the login is another one, or after five minutes', () => {
  const credential = health('1');
  credential.failed(failure('not_signed_in'));
  engine.signIn = '2';
  expect(credential.state).toBe('ok');
  credential.failed(failure('not_signed_in'));
  vi.advanceTimersByTime(300_000);
  expect(credential.state).toBe('refused');
  vi.advanceTimersByTime(1);
  expect(credential.state).toBe('ok');
});

test('another failure says nothing of the credential', () => {
  const credential = health();
  credential.failed(failure('upstream_error', { status: 529 }));
  expect(credential.state).toBe('ok');
});
