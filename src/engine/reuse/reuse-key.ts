import { stableJson } from '../../conversation/canonical.ts';
import type { MessagesRequest } from '../../spec/messages.ts';

/**
 * What a process cannot change once it lives. It can change its model, but then Claude Code tries the new one by a call that
 * nobody asked for, and in full mode it has been silenced for one model.
 */
export function reuseKey({ model, system, betas }: MessagesRequest): string {
  return stableJson([model, system, betas]);
}
