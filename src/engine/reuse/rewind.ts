import type { Query } from '@anthropic-ai/claude-agent-sdk';
import { z } from 'zod';
import { within } from '../../async/within.ts';

/**
 * How long the answer may take, in milliseconds. Seen were 1 to 13, and 20 to 27 with a turn to interrupt. On a machine that is
 * so busy that it takes over 100, a new process takes far longer still.
 */
const ANSWER_MS = 1_000;

/** Where a process goes back to. */
export interface RewindTarget {
  /** The uuid of the user message that goes, with all that follows it. */
  target: string;
  /** The uuid of the user message that the process was sent last. */
  lastSeen: string;
  /** The uuid of the assistant line that is then the last one; null if there is none, undefined if it is not known. */
  behind: string | null | undefined;
  /** Whether a turn is under way, or calls are held: it is given up, also at the model. */
  interrupts?: boolean;
}

/** The SDK sends any control request on; its types do not say so. */
interface ControlRequests {
  request(request: { subtype: string; [field: string]: unknown }): Promise<unknown>;
}

/** What the process says when it has rewound, and when it has not. */
const answerSchema = z.object({
  response: z.discriminatedUnion('rewound', [
    z.object({
      rewound: z.literal(true),
      targetMessageUuid: z.string(),
      precedingAssistantUuid: z.string().nullable(),
    }),
    z.object({ rewound: z.literal(false), reason: z.string() }),
  ]),
});

/**
 * Cuts a process's conversation back, by a control request of the binary that is not documented: see
 * docs/decisions/0010. A fact of test/real/sdk-facts holds it.
 *
 * @throws Error when the process has not done exactly that: it must end then
 */
export async function rewind(
  query: Query,
  { target, lastSeen, behind, interrupts = false }: RewindTarget,
): Promise<void> {
  const answer = await within(
    (query as unknown as ControlRequests).request({
      subtype: 'rewind_conversation',
      target_message_uuid: target,
      // With one message only, the process takes it for stale.
      ...(lastSeen === target ? {} : { last_seen_user_message_uuid: lastSeen }),
      ...(interrupts ? { interrupt_if_running: true } : {}),
    }),
    ANSWER_MS,
  );
  const { data } = answerSchema.safeParse(answer);
  if (!data) throw new Error('the answer to a rewind is unknown');
  const { response } = data;
  if (!response.rewound) throw new Error(`the rewind was refused: ${response.reason}`);
  const { targetMessageUuid, precedingAssistantUuid: last } = response;
  const isThere = targetMessageUuid === target && (behind === undefined ? last !== null : last === behind);
  if (!isThere) throw new Error('the process went back to another message');
}
