import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { callerOf, keyDigest } from './caller-of.ts';

const bearer = (token: string) => ({ apiKey: undefined, authorization: `Bearer ${token}` });

test('each key is a caller of its own, and the same one each time', () => {
  const keys = [
    { apiKey: 'one', authorization: undefined },
    { apiKey: 'two', authorization: undefined },
    bearer('three'),
    { apiKey: undefined, authorization: 'Basic one' },
    { apiKey: undefined, authorization: undefined },
  ];
  const callers = keys.map(callerOf);
  expect(new Set(callers.map(({ id }) => id)).size).toBe(keys.length);
  expect(new Set(callers.map(({ name }) => name)).size).toBe(keys.length);
  expect(keys.map(callerOf)).toEqual(callers);
});

test('a key is the same caller in either header, and a bearer without a token is nobody’s', () => {
  expect(callerOf(bearer('one'))).toEqual(callerOf({ apiKey: 'one', authorization: undefined }));
  expect(callerOf({ apiKey: undefined, authorization: 'bearer   one' })).toEqual(callerOf(bearer('one')));
  expect(callerOf({ apiKey: undefined, authorization: 'Bearer' }).name).toBe('no-key');
});

test('an empty x-api-key does not hide the bearer, another one does', () => {
  expect(callerOf({ ...bearer('one'), apiKey: '' })).toEqual(callerOf(bearer('one')));
  expect(callerOf({ ...bearer('one'), apiKey: 'two' })).toEqual(callerOf({ apiKey: 'two', authorization: undefined }));
});

test('the id is the digest of the key, and neither it nor the name has a part of the key', () => {
  const key = 'sk-ant-api03-of-somebody';
  const { id, name, limits } = callerOf({ apiKey: key, authorization: undefined });
  expect(id).toBe(createHash('sha256').update(key).digest('base64url'));
  expect(id.startsWith(name)).toBe(true);
  expect(limits).toEqual({ turns: Number.POSITIVE_INFINITY });
  expect(callerOf({ apiKey: undefined, authorization: undefined }).name).toBe('no-key');
});

test('a key has one digest, in whichever header it comes', () => {
  const digest = createHash('sha256').update('one').digest();
  for (const sent of [
    { apiKey: 'one', authorization: undefined },
    bearer('one'),
    { apiKey: '', authorization: 'bearer  one' },
    { apiKey: 'one', authorization: 'Bearer two' },
  ]) {
    expect(keyDigest(sent)).toEqual(digest);
  }
  expect(keyDigest({ apiKey: 'two', authorization: 'Bearer one' })).not.toEqual(digest);
  expect(keyDigest({ apiKey: undefined, authorization: undefined })).not.toEqual(digest);
});
