/**
 * Tests of a program that talks to Claude, without an account and without a network: the scripted model answers.
 *
 *     npm install --save-dev isthmus-gateway @anthropic-ai/sdk
 *     node --test
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { createGateway } from 'isthmus-gateway';
import { answer, apiError, startScriptedModel, text, toolUse } from 'isthmus-gateway/testing';

/** The program under test: asks for the weather, with one tool. */
async function weather(client, city) {
  const tools = [{ name: 'get_weather', input_schema: { type: 'object', properties: { city: { type: 'string' } } } }];
  const messages = [{ role: 'user', content: `How is the weather in ${city}?` }];
  for (;;) {
    const stream = client.messages.stream({ model: 'claude-sonnet-5', max_tokens: 500, tools, messages });
    const { content, stop_reason } = await stream.finalMessage();
    const calls = content.filter((block) => block.type === 'tool_use');
    if (stop_reason !== 'tool_use') return content.find((block) => block.type === 'text')?.text;
    const results = calls.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: 'rain, 7 degrees' }));
    messages.push({ role: 'assistant', content }, { role: 'user', content: results });
  }
}

let model;
before(async () => {
  model = await startScriptedModel();
});
after(() => model.close());

beforeEach(() => {
  model.restart([
    { when: { has_tool_result: true }, replies: [answer('Take an umbrella.')] },
    {
      when: { text: 'Oslo' },
      replies: [answer(text('Let me look.'), toolUse('get_weather', { city: 'Oslo' }))],
    },
    { when: { text: 'Bergen' }, replies: [apiError(529, 'Overloaded'), answer('It rains, as ever.')] },
  ]);
});

test('the tool is called, and its result reaches the model', async () => {
  const client = new Anthropic({ baseURL: model.url, apiKey: 'any' });
  assert.equal(await weather(client, 'Oslo'), 'Take an umbrella.');
  const [, second] = model.requests;
  assert.equal(second.body.messages.at(-1).content[0].content, 'rain, 7 degrees');
});

test('a busy API is asked again', async () => {
  const client = new Anthropic({ baseURL: model.url, apiKey: 'any', maxRetries: 1 });
  assert.equal(await weather(client, 'Bergen'), 'It rains, as ever.');
  assert.equal(model.requests.length, 2);
});

test('the same through a gateway, with the real `claude` behind it', async () => {
  // Nothing of the machine's own sign-in is used: the environment has a dummy key, and the model as the API.
  const { PATH, HOME, TMPDIR } = process.env;
  const environment = { PATH, HOME, TMPDIR, ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'any' };
  const gateway = await createGateway({ port: 0, spares: 0, environment });
  try {
    const client = new Anthropic({ baseURL: gateway.url, apiKey: 'any' });
    assert.equal(await weather(client, 'Oslo'), 'Take an umbrella.');
    assert.equal(model.requests.length, 2);
  } finally {
    await gateway.stop(1_000);
  }
});
