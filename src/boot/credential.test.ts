import { expect, test } from 'vitest';
import type { Account } from '../spec/engine.ts';
import { describeCredential } from './credential.ts';

const WHO = { email: 'someone@example.test', organization: 'Lab' };

test.each<[Account, Record<string, string>, string | undefined]>([
  [{ apiKeySource: 'ANTHROPIC_API_KEY' }, {}, 'API key (ANTHROPIC_API_KEY)'],
  [{ apiKeySource: 'apiKeyHelper' }, {}, 'API key (apiKeyHelper)'],
  [{ apiKeySource: 'none', apiProvider: 'bedrock' }, {}, 'Amazon Bedrock (CLAUDE_CODE_USE_BEDROCK)'],
  [{ apiProvider: 'vertex' }, { ANTHROPIC_AUTH_TOKEN: 'b' }, 'Google Vertex AI (CLAUDE_CODE_USE_VERTEX)'],
  [{ apiProvider: 'gateway' }, { ANTHROPIC_AUTH_TOKEN: 'b' }, 'bearer token of a gateway (ANTHROPIC_AUTH_TOKEN)'],
  [{ apiProvider: 'gateway' }, {}, 'sign-in at a gateway'],
  [{ apiProvider: 'someday' }, {}, 'someday'],
  [{ apiProvider: 'firstParty' }, { ANTHROPIC_AUTH_TOKEN: 'b' }, 'bearer token (ANTHROPIC_AUTH_TOKEN)'],
  [{ tokenSource: 'CLAUDE_CODE_OAUTH_TOKEN' }, {}, 'OAuth token (CLAUDE_CODE_OAUTH_TOKEN)'],
  [{ ...WHO, apiKeySource: 'none', subscriptionType: 'Claude Max' }, {}, 'claude login (Claude Max)'],
  [WHO, {}, 'claude login'],
  [{ apiKeySource: 'none', tokenSource: 'none', apiProvider: 'firstParty' }, {}, undefined],
])('%j is named', (account, variables, expected) => {
  expect(describeCredential(account, variables)).toBe(expected);
});
