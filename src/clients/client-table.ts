import { claudeCode } from './claude-code.ts';
import type { Client } from './client.ts';
import { openCode } from './opencode.ts';
import { qwenCode } from './qwen-code.ts';

/** Every client that Isthmus can start, in the order in which they are listed. */
export const CLIENTS: readonly Client[] = [openCode, claudeCode, qwenCode];

/** The client that a user's word names; undefined if there is none. */
export function clientNamed(word: string): Client | undefined {
  return CLIENTS.find(({ name, aliases = [] }) => name === word || aliases.includes(word));
}
