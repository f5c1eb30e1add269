import { readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { signIn } from '../gateway.ts';
import { relay, startFirstPartyStandIn } from './stand-in.ts';

/** A `claude login` whose tokens somebody takes: stand-ins of the first party's servers, with a scripted model behind them. */
export interface SyntheticLogin {
  /** The variables to start a gateway with. */
  variables: Record<string, string>;
  /** What was asked for, as `GET /path`. */
  asked: string[];
  /** The access tokens that model calls came with. */
  tokens: string[];
  /** How often the sign-in was renewed. */
  renewals: number;
  /** How long a renewal takes, in milliseconds. */
  renewalMs: number;
  /** Whether the refresh token is refused. */
  isRevoked: boolean;
  /** Whether every access token is refused, a renewed one too. */
  isBarred: boolean;
  /** Lets hours pass: the access token in use is refused, and says itself that it has run out. */
  expire(): void;
  close(): Promise<void>;
}

/** The file that holds the sign-in of a home. */
export const credentialsFile = (home: string): string => join(home, 'claude', '.credentials.json');

const REFUSED = 'OAuth token has expired. Please obtain a new token or refresh your existing token.';

/**
 * Signs a home in.
 *
 * @param modelUrl the scripted model that answers when a token is taken
 * @param lifetimeMs how long the access token says that it is good
 */
export async function startSyntheticLogin(
  home: string,
  modelUrl: string,
  lifetimeMs?: number,
): Promise<SyntheticLogin> {
  let valid: string | undefined = 'sk-ant-oat01-dummy';
  const standIn = await startFirstPartyStandIn((request, response) => {
    if (request.url === '/v1/oauth/token') {
      request.resume();
      if (login.isRevoked) return json(response, 400, { error: 'invalid_grant', error_description: 'revoked' });
      login.renewals += 1;
      valid = `sk-ant-oat01-renewed-${login.renewals}`;
      const renewed = {
        token_type: 'Bearer',
        access_token: valid,
        refresh_token: `sk-ant-ort01-renewed-${login.renewals}`,
        expires_in: 28_800,
        scope: 'user:inference user:profile',
      };
      setTimeout(() => json(response, 200, renewed), login.renewalMs);
      return true;
    }
    if (!request.url?.startsWith('/v1/messages')) return false;
    const token = String(request.headers.authorization).replace('Bearer ', '');
    if (!request.url.includes('count_tokens')) login.tokens.push(token);
    if (token === valid && !login.isBarred) return relay(request, response, modelUrl);
    request.resume();
    return json(response, 401, { type: 'error', error: { type: 'authentication_error', message: REFUSED } });
  });
  const login: SyntheticLogin = {
    variables: { ...signIn(home, lifetimeMs), ...standIn.variables, ANTHROPIC_BASE_URL: '' },
    asked: standIn.asked,
    tokens: [],
    renewals: 0,
    renewalMs: 0,
    isRevoked: false,
    isBarred: false,
    expire() {
      valid = undefined;
      const file = credentialsFile(home);
      const { atime, mtime } = statSync(file);
      const credentials = JSON.parse(readFileSync(file, 'utf8'));
      credentials.claudeAiOauth.expiresAt = Date.now() - 60_000;
      writeFileSync(file, JSON.stringify(credentials));
      // The passing of time leaves the file as it was.
      utimesSync(file, atime, mtime);
    },
    close: () => standIn.close(),
  };
  return login;
}

function json(response: ServerResponse, status: number, body: object): true {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
  return true;
}
