// @ts-check
import { startClaudeGateway } from './claude-gateway/claude-gateway.js';
import { differences } from './claude-gateway/differences.js';
import { findPostgres } from './claude-gateway/postgres.js';
import { PROBES } from './claude-gateway/probes.js';

/** @satisfies {import('./suite.js').Suite} */
export const differential = {
  name: 'claude-gateway',
  title: 'the same requests to `claude gateway`',
  about: `Claude Code brings a gateway of its own. Each request goes to it and to Isthmus, over one scripted model. It passes when
both clients get the same answer and both model calls ask for the same. Not compared: \`cache_control\`, a text in place of one
text block, ids, dates, headers that neither Claude Code nor an SDK reads, and what Claude Code adds to each call: its own betas,
\`metadata\`, its own line before the system prompt, and the API's defaults said in words. Needs Postgres (Debian: \`apt-get
install postgresql\`); without it this suite is not run.`,
  /** @param {import('./suite.js').Stage} stage */
  async run({ url, model, folder, cleanup }) {
    const postgres = findPostgres();
    if (postgres === undefined) return { notRun: 'there is no Postgres here, which `claude gateway` stores in' };
    const claude = await startClaudeGateway(model.url, postgres, folder, cleanup);
    const results = [];
    for (const probe of PROBES) {
      model.use([() => probe.reply]);
      const theirs = await observe(claude.url, { authorization: `Bearer ${claude.token}` }, probe, model);
      const ours = await observe(url, { 'x-api-key': 'any' }, probe, model);
      results.push({ name: probe.name, misses: differences(theirs, ours) });
    }
    return results;
  },
};

/**
 * What a client and the model saw of one request.
 *
 * @typedef {object} Seen
 * @property {number} status
 * @property {Headers} headers
 * @property {string} text
 * @property {import('../../dist/scripted-model/server.js').RecordedRequest[]} calls of the model
 */

/**
 * @param {string} url
 * @param {Record<string, string>} credential
 * @param {import('./claude-gateway/probes.js').Probe} probe
 * @param {import('../../dist/scripted-model/server.js').ScriptedModel} model
 * @returns {Promise<Seen>}
 */
async function observe(url, credential, { method = 'POST', path = '/v1/messages', headers, body }, model) {
  const before = model.requests.length;
  const sent = typeof body === 'string' ? body : JSON.stringify(body);
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01', ...credential, ...headers },
    ...(method === 'POST' && { body: sent }),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, text, calls: model.requests.slice(before) };
}
