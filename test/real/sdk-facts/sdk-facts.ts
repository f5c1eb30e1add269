import { describe, expect, test } from 'vitest';
import type { Message } from '../../../src/spec/messages.ts';
import { asTheModelSees, type WireMessage } from '../../support/as-the-model-sees.ts';
import { assistant, collect, PATIENT, request, tool, user } from '../../support/engine.ts';
import { QUICK } from '../../support/quick.ts';
import { testParts } from '../../support/test-parts.ts';
import { type Api, CALL, result, TEXT, useContract } from './fact.ts';

/**
 * Each fact about the Agent SDK that the engine relies on, by its name. A new version of the SDK that changes one fails
 * here. These are of the head of a request, in which Claude Code puts other things for an API that is not the first party's;
 * the others are in common-facts.test.ts.
 *
 * @param api whose the scripted model passes for
 */
export function describeSdkFacts(api: Api): void {
  describe(`over an API that is ${api === 'another' ? 'not ' : ''}the first party’s`, () => {
    const contract = useContract(api);
    const { replay, claim, answering, seen } = contract;
    const quick = api === 'another' ? QUICK : {};

    test('a replay shows the model exactly the transcript, in one call', quick, async () => {
      const messages: Message[] = [
        user('first', '/compact'),
        assistant(
          { type: 'thinking', thinking: 'old', signature: 'signed' },
          { type: 'redacted_thinking', data: 'opaque' },
          'words',
          { type: 'tool_use', id: 'toolu_1', name: 'undeclared', input: { deep: [1, { a: null }] } },
          { type: 'tool_use', id: 'toolu_2', name: 'read', input: {} },
        ),
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: 'x'.repeat(400_000) }] },
            { type: 'tool_result', tool_use_id: 'toolu_2', content: [{ type: 'text', text: 'bad' }], is_error: true },
            { type: 'text', text: '<system-reminder>beside</system-reminder>' },
          ],
        },
        assistant('one'),
        assistant('two'),
        user(
          { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'doc' }, title: 'T' },
          'newest  ',
        ),
      ];
      const { last } = await replay(request(messages, { tools: [tool('read')] }));
      expect(last?.type).toBe('message_stop');
      expect(contract.model.requests).toHaveLength(1);
      expect(asTheModelSees(seen(0).messages as WireMessage[], { withThinking: true })).toEqual(
        asTheModelSees(messages, { withThinking: true }),
      );
    });

    test('a claimed spare has its model, system prompt, tools and parameters at the first call', quick, async () => {
      const parameters = { max_tokens: 77, thinking: { type: 'enabled', budget_tokens: 1024 } };
      await claim(request([user('hi')], { model: 'claude-opus-4-1', tools: [tool('read')], parameters }));
      expect(contract.model.requests).toHaveLength(1);
      expect(seen(0)).toMatchObject({ model: 'claude-opus-4-1', ...parameters });
      expect(seen(0).tools).toEqual([
        { name: 'read', description: 'does read', input_schema: tool('read').input_schema },
      ]);
      expect((seen(0).system as Array<{ text: string }>).at(-1)?.text).toBe('You are under test.');
    });

    // What Claude Code takes for a model that cannot but think is not told to be without. As with the other tables that are
    // longer for the first party, only its first rows are tried over another API.
    const models: Array<[name: string, thinking: object | undefined]> = [
      ['claude-opus-5-5', { type: 'adaptive' }],
      ['claude-sonnet-5', { type: 'disabled' }],
      ['claude-of-the-future', undefined],
      ['claude-fable-5', { type: 'adaptive' }],
      ['claude-haiku-4-5', { type: 'disabled' }],
    ];
    testParts(
      'modelsOfTheSdk',
      models.slice(0, api === 'another' ? 3 : undefined),
      // One that thinks, and one that is not known.
      { isEveryday: ([name]) => name === 'claude-opus-5-5' || name === 'claude-of-the-future' },
    )('the SDK adds nothing of its own to a request for %s', async (name, thinking) => {
      await replay(request([user('hi')], { model: name }));
      const parameters = { max_tokens: 9, output_config: { effort: 'low' } };
      await claim(request([user('hi')], { model: name, parameters }));
      for (const { body } of contract.model.requests) {
        expect(body.model).toBe(name);
        expect(body.thinking).toEqual(thinking);
        expect(body).not.toHaveProperty('context_management');
        expect(asTheModelSees(body.messages as WireMessage[], { withThinking: true })).toEqual([user('hi')]);
      }
      expect(seen(0)).not.toHaveProperty('output_config');
      // What Claude Code takes for a model without effort does not get one.
      expect(seen(1).output_config).toEqual(name === 'claude-haiku-4-5' ? undefined : { effort: 'low' });
    });

    testParts(
      'modelsOfTheSdk',
      [`long ${'prompt '.repeat(30_000)}end`, '', 'You are under test.'].slice(0, api === 'another' ? 2 : undefined),
      { isEveryday: (_system, at) => at === 0 },
    )('a spare and a replay give the same system blocks', async (system) => {
      await claim(request([user('hi')], { system }));
      await replay(request([user('hi')], { system }));
      const [claimed, replayed] = [seen(0), seen(1)].map((body) =>
        (body.system as Array<{ text: string }>).map(({ text }) => text).slice(1),
      );
      expect(replayed).toEqual(claimed);
    });

    test('the SDK does not say the beta of the effort when the effort is the client’s', async () => {
      const parameters = { max_tokens: 9, output_config: { effort: 'low' } };
      const betasOf = (index: number) => String(contract.model.requests[index]?.headers['anthropic-beta']).split(',');
      await claim(request([user('hi')], { parameters }));
      expect(betasOf(0)).not.toContain('effort-2025-11-24');
      await replay(request([user('hi')], { parameters, betas: ['effort-2025-11-24'] }));
      expect(betasOf(1).filter((beta) => beta === 'effort-2025-11-24')).toHaveLength(1);
    });

    test('betas reach the model, and are a process’s for life', quick, async () => {
      answering(CALL, TEXT, TEXT);
      const tools = [tool('read')];
      const betasOf = (index: number) => String(contract.model.requests[index]?.headers['anthropic-beta']).split(',');
      const { process } = await claim(request([user('hi')], { tools, betas: ['pdfs-2024-09-25'] }));
      expect(betasOf(0)).toContain('pdfs-2024-09-25');
      expect(betasOf(0)).toEqual(expect.arrayContaining(['interleaved-thinking-2025-05-14', 'effort-2025-11-24']));
      expect(new Set(betasOf(0)).size).toBe(betasOf(0).length);
      // The gateway replays instead when they change.
      await collect(
        await process.continue(request([result('r')], { tools, betas: ['output-128k-2025-02-19'] }), PATIENT),
      );
      expect(betasOf(1)).toEqual(betasOf(0));
      await replay(request([user('hi')], { betas: ['output-128k-2025-02-19'] }));
      expect(betasOf(2)).toContain('output-128k-2025-02-19');
    });
  });
}
