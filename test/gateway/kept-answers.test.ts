import { afterEach, expect, test } from 'vitest';
import { failure } from '../../src/spec/failures.ts';
import type { JsonObject } from '../../src/spec/messages.ts';
import type { EngineReply } from '../../test-engine/reply.ts';
import { foldResponses } from '../support/fold-responses.ts';
import { InProcessGateway } from '../support/gateway-in-process.ts';

/** What is kept of a response: for whom, under which ids, and which conversations go on from it. */

let house: InProcessGateway;
afterEach(() => house.stop());

const text = (words: string): EngineReply => ({ content: [{ type: 'text', text: words }] });
const READ = { type: 'function', name: 'read', parameters: { type: 'object', properties: {} } };

async function post(body: JsonObject, key = 'one'): Promise<Response> {
  return await fetch(`${house.url}/v1/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: 'claude-sonnet-5', tools: [READ], ...body }),
  });
}

async function ask(body: JsonObject, key?: string) {
  const response = await post(body, key);
  const answer = (await response.json()) as JsonObject;
  expect(response.status, JSON.stringify(answer)).toBe(200);
  return { id: answer.id, output: answer.output as JsonObject[], path: response.headers.get('isthmus-path') };
}

async function errorOf(body: JsonObject, key?: string) {
  const response = await post(body, key);
  expect(response.status).toBe(400);
  return ((await response.json()) as { error: JsonObject }).error;
}

const GONE = { code: 'previous_response_not_found', param: 'previous_response_id' };
const said = () => house.calls.at(-1)?.messages.map(({ role, content }) => [role, JSON.stringify(content)]);

test('a chain goes on in its process, with outputs of tools as the new input, and two branches from one answer', async () => {
  const call: EngineReply = { content: [{ type: 'tool_use', id: 'toolu_1', name: 'read', input: {} }] };
  house = await InProcessGateway.start([{ replies: [call, text('b'), text('c'), text('d')] }]);
  const first = await ask({ input: 'go', instructions: 'S1' });
  const output = { type: 'function_call_output', call_id: first.output[0]?.call_id, output: 'r' };
  const second = await ask({ input: [output], previous_response_id: first.id, instructions: 'S1' });
  expect(second.path).toBe('continue');
  const third = await ask({ input: 'more', previous_response_id: second.id, instructions: 'S1' });
  expect(third.path).toBe('continue');
  expect(said()?.map(([role]) => role)).toEqual(['user', 'assistant', 'user', 'assistant', 'user']);
  const branch = await ask({ input: 'other', previous_response_id: second.id, instructions: 'S1' });
  expect(branch.id).not.toBe(third.id);
  expect(JSON.stringify(said())).not.toContain('more');
  expect(JSON.stringify(said())).toContain('other');
});

test('the ids of a stream are those that are kept, for the same key alone', async () => {
  house = await InProcessGateway.start([{ replies: [text('a'), text('b'), text('c')] }]);
  const { response } = foldResponses(await (await post({ input: 'go', stream: true })).text());
  const { id, output } = response as { id: string; output: JsonObject[] };
  expect((await ask({ input: 'on', previous_response_id: id })).path).toBe('continue');
  const reference = { type: 'item_reference', id: output[0]?.id };
  await ask({ input: [{ role: 'user', content: 'go' }, reference, { role: 'user', content: 'again' }] });
  expect(await errorOf({ input: 'on', previous_response_id: id }, 'two')).toMatchObject(GONE);
  expect(await errorOf({ input: [reference] }, 'two')).toMatchObject({ code: null, param: 'input.0.id' });
});

test('an answer that is cut by a limit is kept, one that fails or is not to be stored is not', async () => {
  const cut: EngineReply = { ...text('half'), stop_reason: 'max_tokens' };
  const failing: EngineReply = {
    ...text('half'),
    fail: { after_events: 3, failure: failure('upstream_stalled', { silentMs: 1 }) },
  };
  house = await InProcessGateway.start([{ replies: [cut, text('on'), failing, text('not kept')] }]);
  const short = await ask({ input: 'go' });
  await ask({ input: 'on', previous_response_id: short.id });
  const { response } = foldResponses(await (await post({ input: 'fail', stream: true })).text());
  expect(response.status).toBe('failed');
  const hidden = await ask({ input: 'go', store: false });
  expect(await errorOf({ input: 'on', previous_response_id: response.id })).toMatchObject(GONE);
  expect(await errorOf({ input: 'on', previous_response_id: hidden.id })).toMatchObject(GONE);
});
