import { expect, test } from 'vitest';
import { subagentsIn } from './task-tool.ts';

const OPENCODE = [
  'Launch a new agent to handle complex, multistep tasks autonomously.',
  '',
  'Available agent types and the tools they have access to:',
  '- general: General-purpose agent for researching complex questions. (Tools: *)',
  '- explore: Fast agent: finds files by patterns.',
  '',
  'When NOT to use the Task tool:',
  '- If you want: to read a file, use Read',
].join('\n');

test('the agents of a task tool are those of its list', () => {
  const found = subagentsIn([{ name: 'read' }, { name: 'task', description: OPENCODE }]);
  expect(found).toEqual({
    general: {
      description: 'General-purpose agent for researching complex questions.',
      prompt: 'You are the agent “general”: General-purpose agent for researching complex questions.',
    },
    explore: {
      description: 'Fast agent: finds files by patterns.',
      prompt: 'You are the agent “explore”: Fast agent: finds files by patterns.',
    },
  });
});

test('the name of the tool may be Task, and items may be marked', () => {
  const description = 'Available subagents:\n\n* **oracle** — thinks hard\n* `librarian`: looks things up';
  expect(Object.keys(subagentsIn([{ name: 'Task', description }]))).toEqual(['oracle', 'librarian']);
});

test('a name may have several words, and a description several lines', () => {
  const description = [
    'Available agent types and the tools they have access to:',
    '- explore: Finds files.',
    '- \u200bMetis - Plan Consultant: Thinks before the plan. (Metis)',
    '- reviewer: Use it to review. Such as:',
    '',
    '<example>',
    'user: "Look at this:"',
    '  - step: one',
    '</example>',
    '- oracle: Thinks hard.',
    '',
    'Usage notes:',
    '- note: no agent',
  ].join('\n');
  const found = subagentsIn([{ name: 'task', description }]);
  expect(Object.keys(found)).toEqual(['explore', 'Metis - Plan Consultant', 'reviewer', 'oracle']);
  expect(found['Metis - Plan Consultant']?.description).toBe('Thinks before the plan. (Metis)');
});

test('other tools, and a description without a list, bring none', () => {
  expect(subagentsIn([{ name: 'bash', description: OPENCODE }])).toEqual({});
  expect(subagentsIn([{ name: 'task', description: '- general: no heading in front' }])).toEqual({});
  expect(subagentsIn([{ name: 'task' }])).toEqual({});
});
