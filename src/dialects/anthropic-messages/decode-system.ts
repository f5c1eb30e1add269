import { extrasOfText } from '../../conversation/carriage.ts';
import { badRequest } from '../../spec/failures.ts';
import type { ContentBlock } from '../../spec/messages.ts';

/** The billing header, the first block of Claude Code as a client. The gateway's `claude` sends its own. */
const BILLING_HEADER = 'x-anthropic-billing-header:';

/** In these lines Claude Code, or a program on the Agent SDK, says what it is. The gateway's `claude` says its own. */
const IDENTITY_LINES: ReadonlySet<string> = new Set([
  "You are Claude Code, Anthropic's official CLI for Claude.",
  "You are Claude Code, Anthropic's official CLI for Claude, running within the Claude Agent SDK.",
  "You are a Claude agent, built on Anthropic's Claude Agent SDK.",
]);

/** Claude Code takes it for a mark in its own system prompt, so that it would vanish. */
const BOUNDARY = '__SYSTEM_PROMPT_DYNAMIC_BOUNDARY__';

/**
 * The text of a system prompt, without what Claude Code says of itself as a client; empty when nothing else is there.
 *
 * @param ignored gets the paths of fields that do not arrive
 * @throws FailureError `bad_request` for a prompt that would vanish
 */
export function decodeSystem(blocks: readonly ContentBlock[], ignored: string[]): string {
  for (const [at, block] of blocks.entries()) {
    for (const field of extrasOfText(block)) ignored.push(`system.${at}.${field}`);
  }
  const texts = blocks.map(({ text }) => String(text));
  const system = texts.filter((text) => text !== '' && !isOfClaudeCode(text)).join('\n\n');
  if (system.trim() === BOUNDARY) {
    throw badRequest('system', 'is nothing but a marker of Claude Code’s own; say something else, or more');
  }
  return system;
}

function isOfClaudeCode(text: string): boolean {
  return text.startsWith(BILLING_HEADER) || IDENTITY_LINES.has(text.trim());
}
