import { setImmediate } from 'node:timers/promises';
import type { MessageIdentity } from '../scripted-model/message-stream.ts';
import { streamEvents } from '../scripted-model/message-stream.ts';
import type { Reply } from '../scripted-model/script.ts';
import { AnswerFold, type RawEvent } from '../src/engine/turn/answer-fold.ts';
import type { Expansion, TurnSteps } from '../src/spec/agent.ts';
import { type Failure, failure, isRepeatable } from '../src/spec/failures.ts';
import type { AnswerMessage, ClientTool } from '../src/spec/messages.ts';
import type { PlanLimits } from '../src/spec/plan-limits.ts';
import type { HiddenSteps } from '../src/spec/turn-events.ts';
import type { Play, Stage } from './play.ts';

/** A reply of the scripted model, and what else can happen to a turn. */
export interface EngineReply extends Reply {
  /** Fails the turn after so many events: `process_lost`, `process_tools_missing`, `upstream_stalled`, … */
  fail?: { after_events: number; failure: Failure };
  /** Holds the answer after so many events until the promise resolves. */
  pause?: { after_events: number; until: Promise<unknown> };
  /** What the engine tells of the plan's limits: before a failure, behind an answer. */
  limits?: PlanLimits;
  /** What an agent does for it. Where the answer is replayed, they come with the call as its expansion, see {@link stepsIn}. */
  steps?: TurnSteps;
}

/** The steps of which an expansion was made. */
export function stepsIn(expansion: Expansion): TurnSteps {
  return JSON.parse(Buffer.from(expansion).toString('utf8'));
}

function hiddenIn(steps: TurnSteps): HiddenSteps {
  return { steps, expansion: Promise.resolve(Buffer.from(JSON.stringify(steps))) };
}

/** Waits so many milliseconds, or until the signal aborts; never rejects. */
export type Wait = (milliseconds: number, signal: AbortSignal) => Promise<void>;

/** @param tools that the model was given */
export function playReply(reply: EngineReply, identity: MessageIdentity, tools: ClientTool[], wait: Wait): Play {
  return (stage) => {
    const stopped = new AbortController();
    void perform(reply, identity, tools, stage, {
      for: async (milliseconds) => {
        if (milliseconds) await wait(milliseconds, stopped.signal);
      },
      isOver: () => stopped.signal.aborted,
    });
    return () => stopped.abort();
  };
}

interface Pace {
  for(milliseconds: number | undefined): Promise<void>;
  isOver(): boolean;
}

async function perform(
  reply: EngineReply,
  identity: MessageIdentity,
  tools: ClientTool[],
  stage: Stage,
  pace: Pace,
): Promise<void> {
  await pace.for(reply.delay_ms);
  if (reply.limits && (reply.error || reply.fail)) stage.tell(reply.limits);
  if (reply.raw) return stage.fail(failure('internal', new Error('the test engine has no wire for a `raw` reply')));
  if (reply.error) return stage.fail(upstreamError(reply.error, `req_${identity.id}`));
  const { events, breakage } = plan(reply, identity);
  const fold = new AnswerFold();
  for (const [index, event] of events.entries()) {
    if (index > 0) await pace.for(reply.gap_ms);
    if (reply.pause?.after_events === index) await reply.pause.until;
    if (pace.isOver()) return;
    fold.add(event);
    stage.push(event);
  }
  if (breakage === 'silence') return;
  if (breakage) return stage.fail(breakage);
  const unfoldable = fold.isUnfoldable ? failure('upstream_cut', { how: 'stream' }) : undefined;
  stage.complete(fold.message as AnswerMessage, {
    endsProcess: fold.wouldGoOn(new Set(tools.map(({ name }) => name))),
    ...(unfoldable && { unfoldable }),
    ...(reply.steps && { hidden: hiddenIn(reply.steps) }),
  });
  if (!reply.limits) return;
  // As in Claude Code they come when the answer has been read.
  await setImmediate();
  stage.tell(reply.limits);
}

interface Plan {
  events: RawEvent[];
  /** What comes in place of the answer's end. */
  breakage: Failure | 'silence' | undefined;
}

function plan(reply: EngineReply, identity: MessageIdentity): Plan {
  const events = [...streamEvents(reply, identity)] as RawEvent[];
  const breakage = breakageOf(reply);
  if (!breakage || breakage.after >= events.length) return { events: events.slice(0, -1), breakage: undefined };
  const before = events.slice(0, breakage.after);
  // The end of a block counts only once the stream goes on: Claude Code also ends the open block of a broken stream.
  if (before.at(-1)?.type === 'content_block_stop') before.pop();
  return { events: before, breakage: breakage.as };
}

function breakageOf({ cut, stream_error, fail }: EngineReply): { after: number; as: Failure | 'silence' } | undefined {
  if (fail) return { after: fail.after_events, as: fail.failure };
  if (stream_error) {
    const { after_events, type, message } = stream_error;
    return { after: after_events, as: failure('upstream_error', { type, message }) };
  }
  if (!cut) return undefined;
  const as = cut.how === 'silence' ? cut.how : failure('upstream_cut', { how: 'stream' });
  return { after: cut.after_events, as };
}

function upstreamError({ status, type, message, headers }: NonNullable<Reply['error']>, requestId: string): Failure {
  const delay = isRepeatable(status) ? headers?.['retry-after'] : undefined;
  return failure('upstream_error', {
    status,
    type,
    message,
    requestId,
    retryAfterSeconds: delay === undefined ? undefined : Number(delay),
  });
}
