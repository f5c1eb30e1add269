import type { Environment } from '../engine/environment/environment.ts';
import { PROVIDERS } from '../engine/environment/providers.ts';
import type { Account } from '../spec/engine.ts';

/**
 * Names the credential that will pay, never its value. Claude Code prefers them in this order.
 *
 * @param account what the SDK says it found
 * @param variables the environment of the processes; only whether a variable is set is looked at
 * @returns undefined when there is none
 */
export function describeCredential(account: Account, variables: Environment): string | undefined {
  const { apiProvider = 'firstParty' } = account;
  if (apiProvider === 'gateway') {
    return variables.ANTHROPIC_AUTH_TOKEN ? 'bearer token of a gateway (ANTHROPIC_AUTH_TOKEN)' : 'sign-in at a gateway';
  }
  if (apiProvider !== 'firstParty') {
    const provider = PROVIDERS[apiProvider];
    return provider ? `${provider.title} (${provider.switch})` : apiProvider;
  }
  if (variables.ANTHROPIC_AUTH_TOKEN) return 'bearer token (ANTHROPIC_AUTH_TOKEN)';
  if (account.apiKeySource && account.apiKeySource !== 'none') return `API key (${account.apiKeySource})`;
  if (account.tokenSource && account.tokenSource !== 'none') {
    const plan = account.subscriptionType ? `, ${account.subscriptionType}` : '';
    return account.tokenSource === 'CLAUDE_CODE_OAUTH_TOKEN'
      ? `OAuth token (CLAUDE_CODE_OAUTH_TOKEN${plan})`
      : `claude login (${account.tokenSource}${plan})`;
  }
  // For a sign-in at claude.ai the SDK names only the account. We do not show its e-mail address.
  if (account.subscriptionType || account.email || account.organization) {
    return account.subscriptionType ? `claude login (${account.subscriptionType})` : 'claude login';
  }
  return undefined;
}
