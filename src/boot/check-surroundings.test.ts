import { homedir } from 'node:os';
import { expect, test } from 'vitest';
import { checkBaseUrl, checkGatewaySwitch, checkHome } from './check-surroundings.ts';

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

const GATEWAY = { CLAUDE_CODE_USE_GATEWAY: '1', ANTHROPIC_BASE_URL: 'https://g', ANTHROPIC_AUTH_TOKEN: 'b' };

test.each<Variables>([{}, { CLAUDE_CODE_USE_GATEWAY: '0' }, GATEWAY])('the gateway of %j is taken', (operator) => {
  checkGatewaySwitch(operator);
});

test.each<Variables>([
  { CLAUDE_CODE_USE_GATEWAY: '1' },
  { ...GATEWAY, ANTHROPIC_BASE_URL: '' },
  { ...GATEWAY, ANTHROPIC_AUTH_TOKEN: '' },
])('the gateway of %j is refused by name', (operator) => {
  expect(() => checkGatewaySwitch(operator)).toThrow('CLAUDE_CODE_USE_GATEWAY needs ANTHROPIC_BASE_URL');
});
