import type { Query } from '@anthropic-ai/claude-agent-sdk';
import { within } from '../../async/within.ts';
import type { ProcessMaker } from '../process/process-maker.ts';
import { spawnToAsk } from './ask-process.ts';

/** How long a renewal may take, in milliseconds. */
const RENEWAL_MS = 60_000;

/** Has a process with the user's own configuration renew the sign-in, if that is due. */
export async function renewSignIn(maker: ProcessMaker): Promise<void> {
  const asked = spawnToAsk(maker);
  try {
    await untilRenewed(asked.query);
  } finally {
    asked.end();
  }
}

/**
 * Resolves when a process has no renewal under way. It must not end before: the old refresh token is spent by then, and the new
 * one not yet written.
 */
export async function untilRenewed(query: Query): Promise<void> {
  // The count goes to the API, with a renewed sign-in.
  await within(query.getContextUsage({ detail: 'full' }), RENEWAL_MS);
}
