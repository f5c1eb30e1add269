import { homedir } from 'node:os';
import { expect, test } from 'vitest';
import { checkBaseUrl, checkHome } from './check-surroundings.ts';

type Variables = Record<string, string>;

test.each<[Variables, Variables]>([
  [{}, {}],
  [{ HOME: homedir() }, {}],
  [{ HOME: `${homedir()}/` }, {}],
  [{ HOME: '/another', CLAUDE_CONFIG_DIR: '/another/.claude' }, { CLAUDE_CONFIG_DIR: '/mine' }],
])('a login in %j is taken where this process has %j', (operator, own) => {
  checkHome(operator, own);
});

test.each<[Variables, Variables]>([
  [{ HOME: '/another' }, {}],
  [{}, { CLAUDE_CONFIG_DIR: '/mine' }],
])('a login in %j is refused where this process has %j', (operator, own) => {
  expect(() => checkHome(operator, own)).toThrow('Put CLAUDE_CONFIG_DIR into the environment');
});

test.each(['http://127.0.0.1:9', 'https://gateway.example/v1', '', undefined])('the base URL %j is taken', (url) => {
  checkBaseUrl(url);
});

test.each(['127.0.0.1:9', 'localhost:9', 'gateway.example'])('the base URL %j is refused', (url) => {
  expect(() => checkBaseUrl(url)).toThrow('Write it with its scheme');
});
