import type { FailureCode } from '../spec/failures.ts';
import type { JsonObject } from '../spec/messages.ts';
import type { TurnObserver } from '../spec/turn-record.ts';
import type { Log } from './log.ts';

const LEFT: ReadonlySet<string> = new Set(['client_gone', 'client_not_reading'] satisfies FailureCode[]);

/** Writes each turn as one log line; times are in milliseconds. One that failed is a warning. */
export function turnLog(log: Log): TurnObserver {
  return ({ who, what, how, came }) => {
    const { times } = how;
    const end = came.failure?.process;
    const fields = {
      request: who.requestId,
      session: who.session,
      conversation: who.conversation,
      agent: what?.agent,
      model: what?.model,
      messages: what?.messages,
      stream: what?.stream,
      user: who.user,
      path: how.path,
      process: how.process,
      reason: how.reason,
      outcome: came.outcome,
      status: came.failure?.status,
      ms: Math.round(times.whole),
      caller: who.caller,
      client: who.client,
      dialect: what?.dialect,
      tools: what?.tools,
      parameters: what?.parameters.join(',') || undefined,
      bytes: what?.bodyBytes,
      queue: rounded(times.queue),
      spawn: rounded(times.spawn),
      load: rounded(times.load),
      first: rounded(times.firstEvent),
      engine: rounded(times.engine),
      own: Math.round(times.own * 100) / 100,
      stop: came.stopReason,
      in: inputTokens(came.usage),
      out: tokens(came.usage?.output_tokens),
      plan: came.plan?.status,
      five_hour: came.plan?.utilization.five_hour,
      seven_day: came.plan?.utilization.seven_day,
      overage: came.plan?.isOverageInUse || undefined,
      // The end of a process has fields of its own.
      words: end ? undefined : came.failure?.words,
      exit: end ? (end.spawnError ?? end.signal ?? end.code ?? undefined) : undefined,
      stderr: end?.stderr || undefined,
    };
    // A client that leaves is no trouble of anybody's.
    log('turn', fields, came.failure && !LEFT.has(came.outcome) ? 'warn' : 'info');
  };
}

function rounded(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : Math.round(milliseconds);
}

/** All tokens that went to the model, whether from its cache or not. */
function inputTokens(usage: JsonObject | undefined): number | undefined {
  const fresh = tokens(usage?.input_tokens);
  return fresh === undefined
    ? undefined
    : fresh + (tokens(usage?.cache_read_input_tokens) ?? 0) + (tokens(usage?.cache_creation_input_tokens) ?? 0);
}

function tokens(count: unknown): number | undefined {
  return typeof count === 'number' ? count : undefined;
}
