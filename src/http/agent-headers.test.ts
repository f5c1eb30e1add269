import { expect, test } from 'vitest';
import { stepHeaders } from './agent-headers.ts';

test('changed files stand by their own names, however alike', () => {
  const changedFiles = ['log.1', 'log.2', 'log.3', 'log.4'];
  const hidden = { steps: { steps: [], changedFiles }, expansion: Promise.resolve(new Uint8Array()), isKept: true };
  expect(stepHeaders(hidden)).toEqual({
    'isthmus-agent-steps': '0',
    'isthmus-agent-changed-files': 'log.1, log.2, log.3, log.4',
  });
});
