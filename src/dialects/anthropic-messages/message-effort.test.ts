import { expect, test } from 'vitest';
import { effortOfAnswer, messageEffort } from './message-effort.ts';

const user = { role: 'user', content: 'Go on' };
const assistant = { role: 'assistant', content: 'Yes' };
const results = { role: 'user', content: [{ type: 'tool_result' }] };
const both = { role: 'user', content: [{ type: 'tool_result' }, { type: 'text' }] };
const level = (effort: unknown) => ({ role: 'system', content: [], output_config: { effort } });

test.each([
  ['none is set', [user, assistant, user], undefined],
  ['right behind the newest input', [user, level('low')], 'low'],
  ['between an answer and the next input', [user, assistant, level('low'), user], 'low'],
  ['before everything', [level('low'), user, assistant, user], 'low'],
  ['of two, the last', [user, level('low'), assistant, user, level('max')], 'max'],
  ['behind results: from the next input on', [user, assistant, results, level('low')], undefined],
  ['behind results, and the next input is there', [user, assistant, results, level('low'), assistant, user], 'low'],
  ['behind results: the level before stays', [user, level('high'), assistant, results, level('low')], 'high'],
  ['behind results with new input', [user, assistant, both, level('low')], 'low'],
  ['behind results and new input of its own', [user, assistant, results, user, level('low')], 'low'],
])('%s', (_name, messages, effort) => {
  expect(effortOfAnswer(messages)).toBe(effort);
});

test.each([
  ['a user message', { ...user, output_config: { effort: 'low' } }],
  ['more than an effort', { role: 'system', output_config: { effort: 'low', format: {} } }],
  ['an effort that is no string', level(1)],
  ['no object', { role: 'system', output_config: 'low' }],
])('sets no level: %s', (_name, message) => {
  expect(messageEffort(message)).toBeUndefined();
});
