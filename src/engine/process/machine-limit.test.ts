import { expect, test } from 'vitest';
import { limitFailure } from './machine-limit.ts';

const error = (code: string, syscall = 'spawn claude') =>
  Object.assign(new Error(`${syscall} ${code}`), { code, syscall });

test.each([
  ['EMFILE', '`ulimit -n`'],
  ['ENFILE', 'whole machine'],
  ['EAGAIN', '`ulimit -u`'],
  ['ENOMEM', 'memory'],
])('%s is a failure that a repeat may cure and that names the limit', (code, limit) => {
  expect(limitFailure(error(code))).toMatchObject({
    code: 'machine_at_limit',
    status: 529,
    type: 'overloaded_error',
    retryAfterSeconds: 5,
    mayRepeat: true,
    message: expect.stringContaining(limit),
  });
  expect(limitFailure(error(code, 'open'))?.message).toContain(code);
});

test.each([error('ENOENT'), error('ENOSPC', 'write'), new Error('EMFILE'), 'EMFILE'])('%s is none', (other) => {
  expect(limitFailure(other)).toBeUndefined();
});
