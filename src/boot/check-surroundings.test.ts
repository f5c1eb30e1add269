import { homedir } from 'node:os';
import { expect, test } from 'vitest';
import { checkSurroundings } from './check-surroundings.ts';

type Variables = Record<string, string>;

test.each<[Variables, Variables]>([
  [{}, {}],
  [{ HOME: homedir() }, {}],
  [{ HOME: `${homedir()}/` }, {}],
  [{ HOME: '/another', CLAUDE_CONFIG_DIR: '/another/.claude' }, { CLAUDE_CONFIG_DIR: '/mine' }],
  [{ ANTHROPIC_BASE_URL: 'http://127.0.0.1:9' }, {}],
  [{ ANTHROPIC_BASE_URL: 'https://gateway.example/v1' }, {}],
  [{ ANTHROPIC_BASE_URL: '' }, {}],
])('%j is taken where this process has %j', (operator, own) => {
  checkSurroundings(operator, own);
});

test.each<[Variables, Variables, string]>([
  [{ ANTHROPIC_BASE_URL: '127.0.0.1:9' }, {}, 'Write it with its scheme'],
  [{ ANTHROPIC_BASE_URL: 'localhost:9' }, {}, 'Write it with its scheme'],
  [{ ANTHROPIC_BASE_URL: 'gateway.example' }, {}, 'Write it with its scheme'],
  [{ HOME: '/another' }, {}, 'Put CLAUDE_CONFIG_DIR into the environment'],
  [{}, { CLAUDE_CONFIG_DIR: '/mine' }, 'Put CLAUDE_CONFIG_DIR into the environment'],
])('%j is refused where this process has %j', (operator, own, message) => {
  expect(() => checkSurroundings(operator, own)).toThrow(message);
});
