import { describe, expect, test } from 'vitest';
import { startEngine } from '../../support/engine.ts';
import { describeSdkErrorFacts } from './sdk-error-facts.ts';
import { describeSdkFacts } from './sdk-facts.ts';

describeSdkFacts('another');
describeSdkErrorFacts('another');

describe('credentials', () => {
  test.each([
    [{ ANTHROPIC_API_KEY: 'x' }, { apiProvider: 'firstParty', apiKeySource: 'ANTHROPIC_API_KEY' }],
    [
      { ANTHROPIC_API_KEY: '', CLAUDE_CODE_OAUTH_TOKEN: 'x', CLAUDE_CODE_SIMPLE: '' },
      { apiProvider: 'firstParty', tokenSource: 'CLAUDE_CODE_OAUTH_TOKEN' },
    ],
    [
      { ANTHROPIC_API_KEY: '', CLAUDE_CODE_SIMPLE: '' },
      { apiProvider: 'firstParty', tokenSource: 'none' },
    ],
    [{ ANTHROPIC_API_KEY: '', CLAUDE_CODE_USE_BEDROCK: '1', AWS_REGION: 'us-east-1' }, { apiProvider: 'bedrock' }],
  ])('the SDK tells which one it found', async (variables, expected) => {
    const fixture = startEngine('http://127.0.0.1:9', variables);
    expect(await fixture.engine.introduction()).toMatchObject({ account: expected });
    await fixture.close();
  });
});
