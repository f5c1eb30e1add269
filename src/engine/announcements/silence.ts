import type { SessionStoreEntry } from '@anthropic-ai/claude-agent-sdk';
import type { Environment } from '../environment/environment.ts';
import type { Announcement } from './announcement.ts';

/** What keeps one process from announcing anything to the model. */
export interface Silence {
  /** For its transcript. */
  announced: readonly Announcement[];
  /** For its environment. */
  variables: Environment;
  /** Takes what the process adds to its transcript: an announcement that was not known is known from then on. */
  hear(entries: readonly SessionStoreEntry[]): void;
  /** Why it would not stay silent for another turn; undefined if it would. */
  staleness(): string | undefined;
}

/** A process in bare mode is silent by itself. */
export const BARE: Silence = {
  announced: [],
  variables: {},
  hear: () => undefined,
  staleness: () => undefined,
};
