import { claudeCode } from './claude-code.ts';
import type { Client } from './client.ts';
import { cline } from './cline.ts';
import { codex } from './codex.ts';
import { continueCli } from './continue.ts';
import { droid } from './droid.ts';
import { kilo } from './kilo.ts';
import { openCode } from './opencode.ts';
import { pi } from './pi.ts';
import { qwenCode } from './qwen-code.ts';

/** Every client that Isthmus can start, in the order in which they are listed. */
export const CLIENTS: readonly Client[] = [openCode, claudeCode, qwenCode, pi, cline, kilo, continueCli, droid, codex];

/** The client that a user's word names; undefined if there is none. */
export function clientNamed(word: string): Client | undefined {
  return CLIENTS.find(({ name, aliases = [] }) => name === word || aliases.includes(word));
}
