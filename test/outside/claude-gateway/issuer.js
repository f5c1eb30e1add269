// @ts-check
import { createSign, generateKeyPairSync, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

/** Who the one client of the issuer is. */
export const CLIENT = { id: 'gateway', secret: 'gateway-secret' };

/**
 * Starts an OpenID Connect issuer on 127.0.0.1 that signs everybody in, without a question, as one person.
 *
 * @param {import('../../../bench/cleanup.js').Cleanup} cleanup
 * @returns {Promise<string>} its address
 */
export async function startIssuer(cleanup) {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  /** The nonce of each code that was given out. @type {Map<string, string | null>} */
  const nonces = new Map();
  const server = createServer(async (request, response) => {
    const asked = new URL(request.url ?? '/', issuer);
    const json = (/** @type {unknown} */ body) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (asked.pathname === '/.well-known/openid-configuration') return json(discovery(issuer));
    if (asked.pathname === '/keys') {
      return json({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: '1', use: 'sig', alg: 'RS256' }] });
    }
    if (asked.pathname === '/authorize') {
      const code = randomUUID();
      nonces.set(code, asked.searchParams.get('nonce'));
      const back = new URL(asked.searchParams.get('redirect_uri') ?? '');
      back.searchParams.set('code', code);
      back.searchParams.set('state', asked.searchParams.get('state') ?? '');
      response.writeHead(302, { location: back.href }).end();
      return;
    }
    if (asked.pathname !== '/token') {
      response.writeHead(404).end();
      return;
    }
    let body = '';
    for await (const chunk of request) body += chunk;
    const nonce = nonces.get(new URLSearchParams(body).get('code') ?? '');
    const now = Math.floor(Date.now() / 1000);
    const person = { sub: 'somebody', email: 'somebody@example.test', email_verified: true, nonce };
    const claims = { iss: issuer, aud: CLIENT.id, iat: now, exp: now + 3600, ...person };
    const encode = (/** @type {unknown} */ part) => Buffer.from(JSON.stringify(part)).toString('base64url');
    const signed = `${encode({ alg: 'RS256', kid: '1' })}.${encode(claims)}`;
    const signature = createSign('RSA-SHA256').update(signed).sign(privateKey, 'base64url');
    json({ access_token: 'dummy', token_type: 'Bearer', expires_in: 3600, id_token: `${signed}.${signature}` });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}`;
  cleanup.add(() => {
    server.close();
    server.closeAllConnections();
  });
  return issuer;
}

/** @param {string} issuer */
function discovery(issuer) {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/keys`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
  };
}
