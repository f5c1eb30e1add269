// @ts-check
import { query } from '@anthropic-ai/claude-agent-sdk';
import { MODEL, systemPrompt } from './workload.js';

/**
 * An answer of an agent, measured.
 *
 * @typedef {object} AgentAnswer
 * @property {number} ms from the question to the end of the answer
 * @property {number} firstEventMs from the question to the first event of the answer
 * @property {string} text
 */

/** As the gateway's agents have them if nothing else is set. */
const MOST_TURNS = 50;
const MOST_SECONDS = 600;

/**
 * Asks an agent that finds and reads files in one folder, as a developer would write it with the SDK's documented options. They
 * allow what the gateway's level `read` allows. It keeps no session, which only the gateway needs.
 *
 * @param {import('./bench.js').Bench} bench
 * @param {string} workspace
 * @param {string} question
 * @param {string} marker of the conversation
 * @returns {Promise<AgentAnswer>} when its process has exited
 */
export async function askBareAgent({ sdk, cleanup }, workspace, question, marker) {
  cleanup.assertOpen();
  const abortController = new AbortController();
  const abort = cleanup.add(() => abortController.abort());
  const answer = { ms: 0, firstEventMs: 0, text: '' };
  const askedAt = performance.now();
  const messages = query({
    prompt: question,
    options: {
      ...sdk.forAgents(MOST_SECONDS),
      abortController,
      cwd: workspace,
      model: MODEL,
      systemPrompt: systemPrompt(marker),
      tools: ['Read', 'Glob', 'Grep'],
      permissionMode: 'dontAsk',
      settings: {
        autoMemoryEnabled: false,
        permissions: {
          blockReadsOutsideWorkingDirectories: true,
          blockWritesOutsideWorkingDirectories: true,
          denyInsteadOfPrompting: true,
          disableBypassPermissionsMode: 'disable',
        },
      },
      settingSources: [],
      strictMcpConfig: true,
      verbatimPrompts: true,
      thinking: { type: 'disabled' },
      maxTurns: MOST_TURNS,
      includePartialMessages: true,
      persistSession: false,
    },
  });
  for await (const message of messages) {
    const at = performance.now() - askedAt;
    if (message.type === 'stream_event' && answer.firstEventMs === 0) answer.firstEventMs = at;
    if (message.type !== 'result') continue;
    if (message.subtype !== 'success' || message.is_error) {
      throw new Error(`the bare agent failed: ${JSON.stringify(message)}`);
    }
    answer.ms = at;
    answer.text = message.result;
  }
  await abort();
  return answer;
}
