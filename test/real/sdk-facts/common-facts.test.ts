import { describe, expect, test } from 'vitest';
import type { Reply } from '../../../scripted-model/script.ts';
import { carriedForm } from '../../../src/conversation/carried-form.ts';
import { RESERVED_NAMES } from '../../../src/engine/parameters/tool-names.ts';
import type { CountedPlaces } from '../../../src/spec/counted-part.ts';
import { asTheModelSees, type Block, messageBytes, type WireMessage } from '../../support/as-the-model-sees.ts';
import { assistant, collect, NO_LISTENER, PATIENT, request, tool, user } from '../../support/engine.ts';
import { until } from '../../support/gateway.ts';
import { testParts } from '../../support/test-parts.ts';
import { CALL, PNG, result, TEXT, useContract } from './fact.ts';

/**
 * Those facts about the Agent SDK that do not depend on whose the API is, see sdk-facts.ts. They are held over the first
 * party's, since the gateway's own tests run over another one.
 */
describe('whoever the API is', () => {
  const contract = useContract('first party');
  const { replay, claim, answering, seen } = contract;

  test('a replay ends with the assistant’s words when the client’s messages do', async () => {
    await replay(request([user('Say it.'), assistant('The answer is')]));
    expect(contract.model.requests).toHaveLength(1);
    expect(seen(0).messages.map(({ role }) => role)).toEqual(['user', 'assistant']);
  });

  test('a replay has its tools at the first call, also when several start at once', async () => {
    const tools = [tool('read'), tool('Bash'), tool('mcp__x__y'), tool('a.b')];
    await Promise.all(Array.from({ length: 4 }, (_, index) => replay(request([user(`hi ${index}`)], { tools }))));
    for (const { body } of contract.model.requests) {
      expect(body.tools?.map(({ name }) => name)).toEqual(['read', 'Bash', 'mcp__x__y', 'a.b']);
    }
  });

  test('the model is shown the tools as the client declared them, on every path', async () => {
    const declared = {
      name: 'odd',
      description: ' First…\n\nUsage: ① ﬁ\u200b ',
      input_schema: { type: 'object', properties: { 'k…①': { enum: ['²', 'Ａ'], pattern: '^[\u200b]$' } } },
      strict: true,
    };
    const large = { ...declared, name: 'large', description: 'x'.repeat(300_000) };
    const given = request([user('hi')], { tools: [declared, large, tool('read')] });
    answering(TEXT);
    const { process } = await claim(given);
    await collect(await process.continue({ ...given, messages: [user('more')] }, PATIENT));
    await replay(given);
    expect(contract.model.requests).toHaveLength(3);
    for (const { body } of contract.model.requests) expect(body.tools).toEqual([declared, large, tool('read')]);
  });

  test('a replayed conversation keeps the bytes of the live one', async () => {
    answering(CALL, TEXT);
    const tools = [tool('read')];
    const { process } = await claim(request([user('hi')], { tools }));
    await collect(
      await process.continue(
        request([result([{ type: 'text', text: 'bad' }], { is_error: true })], { tools }),
        PATIENT,
      ),
    );
    const live = messageBytes(seen(1).messages as WireMessage[], { withThinking: true });
    await replay(
      request(
        [
          user('hi'),
          assistant({ type: 'tool_use', id: 'toolu_1', name: 'read', input: { path: 'a' } }),
          result('bad', { is_error: true }),
        ],
        { tools },
      ),
    );
    expect(messageBytes(seen(2).messages as WireMessage[], { withThinking: true })).toEqual(live);
  });

  test('changed parameters take effect at the next call, in a held turn and in an idle process', async () => {
    answering(CALL, TEXT, TEXT);
    const tools = [tool('read')];
    const { process } = await replay(request([user('hi')], { tools }));
    await collect(
      await process.continue(
        request([result('r')], { tools, parameters: { max_tokens: 11, temperature: 0.5 } }),
        PATIENT,
      ),
    );
    await collect(await process.continue(request([user('more')], { tools, parameters: { max_tokens: 12 } }), PATIENT));
    expect(seen(1)).toMatchObject({ max_tokens: 11, temperature: 0.5 });
    expect(seen(2).max_tokens).toBe(12);
    expect(seen(2).temperature ?? 1).toBe(1);
  });

  test('a replay carries every kind of content', async () => {
    const sources = [
      { type: 'base64', media_type: 'image/png', data: PNG },
      { type: 'url', url: 'https://example.com/a.png' },
      { type: 'file', file_id: 'file_1' },
    ];
    const search = { type: 'search_result', source: 's', title: 't', content: [{ type: 'text', text: 'c' }] };
    const documents = [
      { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0xLjQ=' },
      { type: 'text', media_type: 'text/plain', data: 'plain' },
      { type: 'content', content: [{ type: 'text', text: 'inner' }] },
      { type: 'url', url: 'https://example.com/a.pdf' },
      { type: 'file', file_id: 'file_2' },
    ].map((source) => ({ type: 'document', source, title: 'T', context: 'C', citations: { enabled: true } }));
    const images = sources.map((source) => ({ type: 'image', source }));
    const fetched = { type: 'web_fetch_result', url: 'u', content: documents[1] };
    const messages = [
      user(...images, ...documents, search, '\u2028 👩‍👩‍👧 \u0000'),
      assistant(
        'let me look',
        { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'q' } },
        { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] },
        { type: 'server_tool_use', id: 'srvtoolu_2', name: 'web_fetch', input: {} },
        { type: 'web_fetch_tool_result', tool_use_id: 'srvtoolu_2', content: fetched },
        { type: 'mcp_tool_use', id: 'mcptoolu_1', name: 'x', server_name: 's', input: {} },
        {
          type: 'mcp_tool_result',
          tool_use_id: 'mcptoolu_1',
          is_error: false,
          content: [{ type: 'text', text: 'm' }],
        },
        'and',
        { type: 'tool_use', id: 'toolu_1', name: 'read', input: {} },
        { type: 'tool_use', id: 'toolu_2', name: 'read', input: {} },
      ),
      {
        role: 'user' as const,
        content: [
          { type: 'tool_result', tool_use_id: 'toolu_1', content: [...images, ...documents, search] },
          { type: 'tool_result', tool_use_id: 'toolu_2' },
        ],
      },
    ];
    await replay(request(messages, { tools: [tool('read')] }));
    expect(asTheModelSees(seen(0).messages as WireMessage[], { withThinking: true })).toEqual(
      asTheModelSees(messages, { withThinking: true }),
    );
  });

  test('an assistant’s message is sent in its carried form, whatever form it has in the transcript', async () => {
    const said = { type: 'text', text: 'x' };
    const thought = { type: 'thinking', thinking: 'h', signature: 'c2ln' };
    const redacted = { type: 'redacted_thinking', data: 'd' };
    const unknown = { type: 'future_block', a: null };
    let calls = 0;
    const call = () => ({ type: 'tool_use', id: `toolu_${++calls}`, name: 'read', input: {} });
    const served = (name: string, id: string) => [
      { type: 'server_tool_use', id, name, input: {} },
      { type: `${name}_tool_result`, tool_use_id: id, content: [] },
    ];
    const citations = ['web_search_result_location', 'char_location'].map((type) => ({ type }));
    const forms: Block[][] = [
      [call(), said],
      [said, call(), said, call()],
      [thought, call(), thought, call()],
      [thought, call(), redacted, call(), said, call()],
      [thought, said, call(), thought, said, call()],
      [call(), thought, call()],
      [said, call(), redacted, call()],
      [call(), ...served('web_search', 'srvtoolu_1'), unknown, call()],
      [thought, { type: 'text', text: '\n\n' }, thought, said],
      [{ ...call(), caller: { type: 'direct' }, other: 1 }],
      [{ type: 'server_tool_use', id: 'srvtoolu_2', name: 'web_search', input: {} }, said],
      [{ type: 'mcp_tool_use', id: 'mcptoolu_1', name: 'x', server_name: 's', input: {} }, said],
      [{ type: 'fallback', from: {}, to: {} }, ...served('advisor', 'srvtoolu_3'), said],
      [{ ...said, citations }],
    ];
    const messages = forms.flatMap((form) => {
      const ids = form.filter(({ type }) => type === 'tool_use').map(({ id }) => String(id));
      const next = ids.map((id) => ({ type: 'tool_result', tool_use_id: id, content: [said] }));
      return [assistant(...form), next.length > 0 ? user(...next) : user('go on')];
    });
    await replay(request([user('go'), ...messages], { tools: [tool('read')] }));
    const sent = asTheModelSees(seen(0).messages as WireMessage[], { withThinking: true });
    expect(sent.filter(({ role }) => role === 'assistant').map(({ content }) => content)).toEqual(
      forms.map((form) => carriedForm(form).content),
    );
  });

  test('a thousand blocks and twenty megabytes of images are carried', async () => {
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'A'.repeat(3_400_000) } };
    const messages = [
      user(...Array.from({ length: 1000 }, (_, index) => `block ${index}`)),
      assistant(...Array.from({ length: 1000 }, (_, index) => `word ${index}`)),
      user(...Array.from({ length: 6 }, () => image)),
    ];
    await replay(request(messages));
    expect(asTheModelSees(seen(0).messages as WireMessage[], { withThinking: true })).toEqual(messages);
  });

  testParts<[model: string, most: number]>(
    'imagesByModel',
    [
      ['claude-sonnet-4-6', 100],
      ['claude-sonnet-5', 600],
      ['claude-haiku-4-5', 100],
      ['claude-of-the-future', 100],
      ['claude-opus-4-7', 600],
      ['claude-haiku-5-5', 600],
      ['claude-fable-5-2', 600],
    ],
    // A model of many images, and one that Claude Code does not know.
    { isEveryday: ([name]) => name === 'claude-sonnet-5' || name === 'claude-of-the-future' },
  )('for %s a replay carries %i images and documents', async (name, most) => {
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } };
    const pair = [
      assistant({ type: 'tool_use', id: 'toolu_1', name: 'read', input: {} }),
      result([{ type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'x' } }]),
    ];
    for (const count of [most - 1, most]) {
      await replay(request([user(...Array.from({ length: count }, () => image)), ...pair], { model: name }));
    }
    // The oldest of those that are too many vanish without a word; the gateway refuses them before.
    expect(seen(0).messages[0]?.content).toHaveLength(most - 1);
    expect(seen(1).messages[0]?.content.length).toBeLessThan(most);
  });

  test('each part of a request counts what the API counts for it, and nothing of Claude Code’s', async () => {
    const { engine } = contract.fixture;
    const counted = (parts: CountedPlaces) =>
      engine.countTokens({ model: 'claude-sonnet-5' }, parts, () => undefined, PATIENT);
    const toolsOf = async (name: string) =>
      (await counted({ tools: { kind: 'tools', tools: [{ ...tool(name), description: 'x' }] } })).tools;
    const words = 'hello '.repeat(400);
    const history = [user(words), assistant('so'), user('more')];
    contract.model.counts.length = 0;
    const { conversation, prompt, tools } = await counted({
      conversation: { kind: 'messages', messages: history },
      prompt: { kind: 'system', text: words },
      tools: { kind: 'tools', tools: [tool('read')] },
    });
    expect(contract.model.counts.map(({ messages }) => messages)).toContainEqual(history);
    expect(JSON.stringify(contract.model.counts)).not.toContain('No response requested');
    // The scripted model takes four characters of the body for a token.
    expect(conversation).toBeGreaterThan(600);
    expect(conversation).toBeLessThan(700);
    expect(Math.abs((prompt ?? 0) - 600)).toBeLessThan(3);
    expect(Math.abs((tools ?? 0) - JSON.stringify([tool('read')]).length / 4)).toBeLessThan(5);
    for (const name of Object.keys(RESERVED_NAMES)) {
      expect(await toolsOf(name), name).toBe(await toolsOf(`${name.slice(0, -1)}1`));
    }
  });

  test('the SDK guesses in silence when the API does not count', async () => {
    const { engine } = contract.fixture;
    const parts: CountedPlaces = {
      conversation: { kind: 'messages', messages: [user('hello '.repeat(100)), assistant('so'), user('more')] },
      prompt: { kind: 'system', text: 'You count.' },
      tools: { kind: 'tools', tools: [tool('read')] },
    };
    contract.model.refusesToCount = true;
    const guessed = await engine.countTokens({ model: 'claude-sonnet-4-5' }, parts, () => undefined, PATIENT);
    contract.model.refusesToCount = false;
    expect(Object.values(guessed).every((count) => count === undefined)).toBe(true);
    expect(contract.model.requests).toHaveLength(0);
  });

  test('a result tells the context window of the model', async () => {
    contract.fixture.models.length = 0;
    await replay(request([user('hi')]));
    await until('the result is there', () => contract.fixture.models.length > 0);
    expect(contract.fixture.models).toEqual([{ id: 'claude-sonnet-5', contextWindow: 1_000_000 }]);
  });

  test('the SDK lists exact model ids beside its aliases', async () => {
    const { models } = await contract.fixture.engine.introduction();
    expect(models.length).toBeGreaterThan(2);
    expect(models.find(({ aliases }) => aliases.includes('opus'))?.id).toMatch(/^claude-opus-/);
  });

  testParts<{ name: string; content: unknown; is_error?: boolean }>(
    'heldResults',
    [
      { name: 'a text', content: 'plain' },
      {
        name: 'several texts',
        content: [
          { type: 'text', text: 'one' },
          { type: 'text', text: '  two\n' },
        ],
      },
      { name: 'a long text', content: 'y'.repeat(400_000) },
      { name: 'a long error', content: 'z'.repeat(9_000), is_error: true },
    ],
    { isEveryday: ({ name }) => name === 'several texts' || name === 'a long error' },
  )('a held call takes $name unaltered', async ({ content, is_error }) => {
    answering(CALL, TEXT);
    const { process } = await replay(request([user('hi')], { tools: [tool('read')] }));
    const results = result(content, is_error ? { is_error } : {});
    await collect(await process.continue(request([results], { tools: [tool('read')] }), PATIENT));
    const wanted = asTheModelSees([results as WireMessage], { withThinking: true });
    expect(asTheModelSees(seen(1).messages.slice(-1) as WireMessage[], { withThinking: true })).toEqual(wanted);
  });

  test('parallel calls take their results in order', async () => {
    answering(
      {
        content: ['a', 'b', 'c'].map((path) => ({
          type: 'tool_use' as const,
          id: `toolu_${path}`,
          name: 'read',
          input: { path },
        })),
      },
      TEXT,
    );
    const { process } = await claim(request([user('hi')], { tools: [tool('read')] }));
    expect(process.heldIds).toEqual(['toolu_a', 'toolu_b', 'toolu_c']);
    const results = user(
      ...['a', 'b', 'c'].map((path) => ({
        type: 'tool_result',
        tool_use_id: `toolu_${path}`,
        content: `content of ${path}`,
      })),
    );
    await collect(await process.continue(request([results], { tools: [tool('read')] }), PATIENT));
    expect(asTheModelSees(seen(1).messages.slice(-1) as WireMessage[], { withThinking: true })).toEqual(
      asTheModelSees([results as WireMessage], { withThinking: true }),
    );
  });

  testParts('reservedNames', Object.keys(RESERVED_NAMES), { isEveryday: (_name, at) => at === 0 })(
    'the tool name %s, which the SDK keeps for itself, is renamed both ways',
    async (name) => {
      const input = { plan: 'as it is' };
      answering({ content: [{ type: 'tool_use', id: 'toolu_1', name: `${name}_`, input }] }, TEXT);
      const { last, process } = await replay(request([user('hi')], { tools: [tool(name), tool('read')] }));
      expect(seen(0).tools?.map((seenTool) => seenTool.name)).toEqual([`${name}_`, 'read']);
      expect(last).toMatchObject({ answer: { content: [{ type: 'tool_use', name, input }] } });
      expect(process.state).toBe('held');
      await collect(
        await process.continue(
          request([result('r')], {
            tools: [tool(name), tool('read')],
            parameters: { max_tokens: 9, tool_choice: { type: 'tool', name } },
          }),
          PATIENT,
        ),
      );
      expect(seen(1).tool_choice).toEqual({ type: 'tool', name: `${name}_` });
      expect(seen(1).messages.at(-2)).toMatchObject({ content: [{ name: `${name}_`, input }] });
    },
  );

  test.each(['held', 'idle', 'streaming'])(
    'ending a %s process makes no model call and leaves no file',
    async (state) => {
      answering(state === 'held' ? CALL : state === 'idle' ? TEXT : { ...TEXT, gap_ms: 300 });
      const begun = contract.fixture.engine.replay(request([user('hi')], { tools: [tool('read')] }), NO_LISTENER);
      const drained = collect(begun.events);
      await until(`it is ${state}`, () => begun.process.state === state && contract.model.requests.length === 1);
      begun.process.end();
      await drained;
      await until('the call is over', () => contract.model.requests[0]?.outcome !== 'open');
      await until('nothing is left', () => contract.fixture.transcripts().length === 0);
      await contract.fixture.engine.allGone();
      expect(contract.model.requests).toHaveLength(1);
    },
  );

  const ENDS: Array<[what: string, reply: Reply, stopReason: string]> = [
    ['a token limit', { content: [{ type: 'text', text: 'cut' }], stop_reason: 'max_tokens' }, 'max_tokens'],
    ['a token limit in a tool call', { ...CALL, stop_reason: 'max_tokens' }, 'max_tokens'],
    [
      'a full context window',
      { content: [{ type: 'text', text: 'cut' }], stop_reason: 'model_context_window_exceeded' },
      'model_context_window_exceeded',
    ],
    ['a refusal', { content: [{ type: 'text', text: 'no' }], stop_reason: 'refusal' }, 'refusal'],
    ['a pause', { content: [{ type: 'text', text: 'wait' }], stop_reason: 'pause_turn' }, 'pause_turn'],
    ['nothing', { content: [] }, 'end_turn'],
    ['thinking alone', { content: [{ type: 'thinking', thinking: 'hm' }] }, 'end_turn'],
    ['an undeclared tool', { content: [{ type: 'tool_use', name: 'nope', input: {} }] }, 'tool_use'],
    [
      'unparsable input',
      { content: [{ type: 'tool_use', name: 'read', input: {}, raw_input: '{"path": ' }] },
      'tool_use',
    ],
    ['a tool input that is no object', { content: [{ type: 'tool_use', name: 'read', input: [1] }] }, 'tool_use'],
    ['a tool call that is the end of the turn', { ...CALL, stop_reason: 'end_turn' }, 'end_turn'],
  ];
  /** A limit, a stop, and a call that is none; `npm test` has others over another API. */
  const EVERYDAY_ENDS = ['a token limit in a tool call', 'a full context window', 'nothing', 'an undeclared tool'];

  testParts('endsOfAnswers', ENDS, { isEveryday: ([what]) => EVERYDAY_ENDS.includes(what) })(
    'after %s the CLI does not go on by itself',
    async (_name, reply, stopReason) => {
      answering(reply);
      const { last, process } = await replay(request([user('hi')], { tools: [tool('read')] }));
      expect(last).toMatchObject({ type: 'message_stop', answer: { stop_reason: stopReason } });
      expect(process.state).toBe('ended');
      await contract.fixture.engine.allGone();
      expect(contract.model.requests).toHaveLength(1);
    },
  );

  test('a stop sequence leaves the process alive', async () => {
    answering({ content: [{ type: 'text', text: 'x' }], stop_reason: 'stop_sequence', stop_sequence: 'END' }, TEXT);
    const { last, process } = await replay(request([user('hi')]));
    expect(last).toMatchObject({ answer: { stop_reason: 'stop_sequence', stop_sequence: 'END' } });
    await collect(await process.continue(request([user('more')]), PATIENT));
    expect(contract.model.requests).toHaveLength(2);
  });

  testParts<[where: string, reply: Reply]>(
    'brokenStreams',
    [
      [
        'in a block',
        {
          content: [{ type: 'text' as const, text: 'some words that take several deltas' }],
          cut: { after_events: 3, how: 'end' as const },
        },
      ],
      ['after the last block', { ...TEXT, cut: { after_events: 4, how: 'end' as const } }],
      ['by a reset', { ...TEXT, cut: { after_events: 3, how: 'reset' as const } }],
      [
        'by an error event',
        { ...TEXT, stream_error: { after_events: 3, type: 'overloaded_error', message: 'Overloaded' } },
      ],
    ],
    { isEveryday: ([where]) => where === 'after the last block' || where === 'by an error event' },
  )('a stream cut %s is a failure, never an answer', async (_name, reply) => {
    answering(reply, TEXT);
    const { last, process } = await replay(request([user('hi')]));
    expect(last?.type).toBe('failure');
    expect(process.state).toBe('ended');
    await contract.fixture.engine.allGone();
    expect(contract.model.requests).toHaveLength(1);
  });

  test('an image in a replay has no label, a second turn neither alters it', async () => {
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } };
    const messages = [user(image, 'what is this')];
    const { process } = await replay(request(messages));
    await collect(await process.continue(request([user('sure?')]), PATIENT));
    expect(asTheModelSees(seen(1).messages.slice(0, 1) as WireMessage[], { withThinking: true })).toEqual(
      asTheModelSees(messages, { withThinking: true }),
    );
  });
});
