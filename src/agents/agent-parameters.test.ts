import { expect, test } from 'vitest';
import { agentParameters } from './agent-parameters.ts';

test('each call of the model gets the parameters that do not cut or bend it', () => {
  const given = { max_tokens: 10, temperature: 0.5, thinking: { type: 'adaptive' }, stop_sequences: ['END'] };
  expect(agentParameters(given)).toEqual({
    parameters: { temperature: 0.5, thinking: { type: 'adaptive' } },
    ignored: ['stop_sequences'],
    converted: ['max_tokens'],
  });
});

test('each is named as the client names it, and what it did not send not at all', () => {
  const given = { max_tokens: 10, stop_sequences: ['END'] };
  expect(agentParameters(given, { max_tokens: undefined, stop_sequences: 'stop' })).toEqual({
    parameters: {},
    ignored: ['stop'],
    converted: [],
  });
});

test('what asks for nothing is no ignored field', () => {
  const choice = { type: 'auto', disable_parallel_tool_use: false };
  expect(agentParameters({ stop_sequences: [], tool_choice: choice })).toEqual({
    parameters: {},
    ignored: [],
    converted: [],
  });
});

test('what a choice of tools asks for beside its type is named', () => {
  expect(agentParameters({ tool_choice: { type: 'auto', disable_parallel_tool_use: true } })).toMatchObject({
    parameters: {},
    ignored: ['tool_choice.disable_parallel_tool_use'],
  });
});

test.each([{ type: 'any' }, { type: 'tool', name: 'Read' }, { type: 'none' }])(
  'tool_choice %j is refused',
  (choice) => {
    expect(() => agentParameters({ tool_choice: choice })).toThrow('tool_choice: an agent chooses its tools by itself');
  },
);
