import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { signIn } from '../gateway.ts';
import { type FirstPartyStandIn, relay, startFirstPartyStandIn } from './stand-in.ts';

/** A `claude login` whose tokens somebody takes: the stand-in of the first party, with a scripted model behind it. */
export interface SyntheticLogin {
  /** The variables to start a gateway with. */
  variables: Record<string, string>;
  /** What was asked for, as `GET /path`. */
  asked: string[];
  /** The access tokens that model calls came with. */
  tokens: string[];
  /** How often the sign-in was renewed. */
  readonly renewals: number;
  /** How long a renewal takes, in milliseconds. */
  renewalMs: number;
  /** Takes the access token that is in use for expired from now on, and only a renewed one. */
  expire(): void;
  /** Refuses the refresh token too. */
  revoke(): void;
  close(): Promise<void>;
}

/** The file in which Claude Code keeps the sign-in. */
export const credentialsFile = (home: string) => join(home, 'claude', '.credentials.json');

/**
 * Signs a home in, with the first party's servers on loopback.
 *
 * @param modelUrl the scripted model that answers when a token is taken
 */
export async function startSyntheticLogin(home: string, modelUrl: string): Promise<SyntheticLogin> {
  const signedIn = signIn(home);
  let valid = 'sk-ant-oat01-dummy';
  let number = 0;
  let isRevoked = false;
  const tokens: string[] = [];
  const standIn: FirstPartyStandIn = await startFirstPartyStandIn((request, response) => {
    const json = (status: number, body: object) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
      return true;
    };
    const error = (status: number, type: string, message: string) =>
      json(status, { type: 'error', error: { type, message } });
    if (request.url === '/v1/oauth/token') {
      request.resume();
      if (isRevoked) return json(400, { error: 'invalid_grant', error_description: 'revoked' });
      number += 1;
      valid = `sk-ant-oat01-renewed-${number}`;
      setTimeout(
        () =>
          json(200, {
            token_type: 'Bearer',
            access_token: valid,
            refresh_token: `sk-ant-ort01-renewed-${number}`,
            expires_in: 28_800,
            scope: 'user:inference user:profile',
          }),
        login.renewalMs,
      );
      return true;
    }
    if (!request.url?.startsWith('/v1/messages')) return false;
    const token = String(request.headers.authorization).replace('Bearer ', '');
    tokens.push(token);
    if (token === valid) return relay(request, response, modelUrl);
    request.resume();
    return error(
      401,
      'authentication_error',
      'OAuth token has expired. Please obtain a new token or refresh your existing token.',
    );
  });
  const login: SyntheticLogin = {
    variables: { ...signedIn, ...standIn.variables, ANTHROPIC_BASE_URL: '' },
    asked: standIn.asked,
    tokens,
    get renewals() {
      return number;
    },
    renewalMs: 0,
    expire() {
      const file = credentialsFile(home);
      const credentials = JSON.parse(readFileSync(file, 'utf8'));
      credentials.claudeAiOauth.expiresAt = Date.now() - 60_000;
      writeFileSync(file, JSON.stringify(credentials));
      valid = 'none is valid';
    },
    revoke() {
      isRevoked = true;
    },
    close: () => standIn.close(),
  };
  return login;
}
