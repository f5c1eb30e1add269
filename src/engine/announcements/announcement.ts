import type { SessionStoreEntry } from '@anthropic-ai/claude-agent-sdk';
import { z } from 'zod';

/**
 * What Claude Code tells the model by itself outside bare mode: its working directory, the model's name, the user's e-mail
 * address, the date. It stands in the transcript as an entry of its own, and is told once: a process is silent about what its
 * transcript already has.
 */
export interface Announcement {
  /** `environment`, `model`, `session_context`, `date`. */
  type: string;
  [field: string]: unknown;
}

/** How the model sees an announcement: Claude Code counts one space as told, and leaves it out of the prompt as blank. */
const SILENT = { rendered: [{ content: ' ' }], renderedRole: 'system' } as const;

/** An entry with an announcement; without `rendered` the model is told nothing. */
const entrySchema = z.object({
  type: z.literal('attachment'),
  attachment: z.looseObject({ type: z.string() }),
  rendered: z.array(z.object({ content: z.unknown() })).min(1),
});

/** The announcements among these transcript entries which the model was shown; not our own silent ones. */
export function announcementsIn(entries: readonly SessionStoreEntry[]): Announcement[] {
  return entries.flatMap((entry) => {
    const { data } = entrySchema.safeParse(entry);
    if (!data || data.rendered.every(({ content }) => content === SILENT.rendered[0].content)) return [];
    return [data.attachment];
  });
}

/** The fields by which a transcript entry says that this announcement was made, and shows the model nothing. */
export function toSilentEntry(
  attachment: Announcement,
): { type: 'attachment'; attachment: Announcement } & typeof SILENT {
  return { type: 'attachment', attachment, ...SILENT };
}
