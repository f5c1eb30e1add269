import type { SDKMessage } from '@anthropic-ai/claude-agent-sdk';
import { expect, test } from 'vitest';
import { InputReceipts } from './input-receipts.ts';

const told = (uuid: string, state: string) =>
  ({ type: 'command_lifecycle', command_uuid: uuid, state }) as unknown as SDKMessage;

test('a line is taken when the process has done with it, and not before', async () => {
  const receipts = new InputReceipts();
  const taken: string[] = [];
  for (const uuid of ['a', 'b', 'c']) void receipts.taken(uuid).then(() => taken.push(uuid));
  for (const state of ['queued', 'started']) receipts.hear(told('a', state));
  receipts.hear({ type: 'result', uuid: 'a' } as unknown as SDKMessage);
  receipts.hear(told('c', 'cancelled'));
  await Promise.resolve();
  expect(taken).toEqual([]);
  receipts.hear(told('b', 'completed'));
  receipts.hear(told('unknown', 'completed'));
  receipts.hear(told('c', 'completed'));
  await Promise.resolve();
  expect(taken).toEqual(['b']);
});
