import { type Failure, failure } from '../spec/failures.ts';
import type { JsonObject } from '../spec/messages.ts';
import type { PlanLimits } from '../spec/plan-limits.ts';
import type { ServedBy, TurnEvent, TurnPath } from '../spec/turn-events.ts';
import type {
  FailureRecord,
  PlanRecord,
  TurnMarks,
  TurnRecord,
  TurnTimes,
  WhatWasAsked,
  WhoAsked,
} from '../spec/turn-record.ts';
import { withCounts } from '../spec/usage.ts';
import { bounded, endOf } from './bounded.ts';
import { escapeUnseen } from './escape-unseen.ts';

/** The most characters of a name, a failure's words, a process's last words. */
const LONGEST_NAME = 200;
const LONGEST_WORDS = 500;
const LONGEST_STDERR = 300;

/** A turn that is not over yet, as anyone may see it. */
export interface TurnUnderWay {
  /** Of the request. */
  id: string;
  caller: string;
  client?: string;
  agent?: string;
  model?: string;
  /**
   * - `receiving`: its body is not read yet
   * - `queued`: it has no process yet
   * - `starting`: its process spawns, or takes the history
   * - `asking`: the model has it and has not begun to answer
   * - `answering`: its answer comes
   */
  state: 'receiving' | 'queued' | 'starting' | 'asking' | 'answering';
  /** Which way it takes, once it is on it. */
  path?: TurnPath;
  process?: ServedBy;
  ageMs: number;
  /** Of the request's body. */
  bytes?: number;
}

/**
 * Notes what happens to one turn, and makes its record in the end. It has no clock: callers pass all times in, as
 * `performance.now()`. It hears of every event, so it allocates for none.
 */
export class TurnRecorder {
  /** The gateway notes its moments here. */
  readonly marks: TurnMarks;
  readonly #who: WhoAsked;
  #what: WhatWasAsked | undefined;
  #user: string | undefined;
  #conversation: string | undefined;
  #way: Omit<TurnRecord['how'], 'times'> = {};
  /** When the gateway had done its part until the first event. */
  #leftAt: number | undefined;
  #firstEventAt: number | undefined;
  #relayMs = 0;
  #stopReason: string | null = null;
  #usage: JsonObject | undefined;
  #lateUsage: JsonObject | undefined;
  #isSettled = false;
  #failure: Failure | undefined;

  constructor(who: WhoAsked, arrived: number) {
    this.#who = who;
    this.marks = { arrived };
  }

  /** The request has been decoded. */
  asked(what: WhatWasAsked, user: string | undefined): void {
    this.#what = what;
    this.#user = user;
  }

  /** The turn is on its way to the model. */
  reached({ path, by, reason }: { path: TurnPath; by: ServedBy; reason?: string }, conversation: string): void {
    this.#conversation = conversation;
    this.#way = { path, process: by, ...(reason !== undefined && { reason }) };
    this.#leftAt = firstOf(this.marks);
  }

  /** The gateway has passed an event on. */
  heard(event: TurnEvent): void {
    this.#firstEventAt ??= this.marks.eventAt;
    switch (event.type) {
      case 'message_start':
        this.#usage = event.message.usage;
        return;
      case 'message_delta':
        this.#stopReason = event.delta.stop_reason;
        this.#lateUsage = event.usage;
        return;
      case 'message_stop':
        this.#stopReason = event.answer.stop_reason;
        this.#usage = event.answer.usage;
        this.#lateUsage = undefined;
        this.#isSettled = true;
        return;
      case 'failure':
        this.failed(event.failure);
        return;
    }
  }

  /** The turn has failed, by an event or without any. */
  failed(why: Failure): void {
    this.#isSettled = true;
    this.#failure = why;
  }

  /**
   * What the client gets has gone to the socket.
   *
   * @param eventAt when the first event in it came from the engine
   */
  relayed(eventAt: number, at: number): void {
    this.#relayMs += at - eventAt;
  }

  /** The turn as it is at this moment. */
  underWay(at: number): TurnUnderWay {
    const { requestId, caller, client } = this.#who;
    const { path, process } = this.#way;
    return {
      id: requestId,
      caller,
      ...named('client', client),
      ...(this.#what?.agent !== undefined && { agent: this.#what.agent }),
      ...named('model', this.#what?.model),
      state: this.#state,
      ...(path && { path }),
      ...(process && { process }),
      ageMs: Math.round(at - this.marks.arrived),
      ...(this.#what && { bytes: this.#what.bodyBytes }),
    };
  }

  get #state(): TurnUnderWay['state'] {
    const { queued, admitted, loading, loaded, handed, spawned } = this.marks;
    if (this.#what === undefined) return 'receiving';
    if (this.#firstEventAt !== undefined) return 'answering';
    // A way that has failed leaves its moments behind: the latest one counts.
    const moments = [
      { at: queued, state: 'queued' },
      { at: admitted, state: 'starting' },
      { at: loading, state: 'starting' },
      { at: spawned, state: 'asking' },
      { at: loaded, state: 'asking' },
    ] as const;
    const reached = moments.filter(({ at }) => at !== undefined).sort((one, two) => Number(one.at) - Number(two.at));
    return reached.at(-1)?.state ?? (handed === undefined ? 'queued' : 'asking');
  }

  /**
   * The record of the turn, now that it is over.
   *
   * @param isWhole whether the client got its answer to the end
   * @param limits what is known of the plan's now
   */
  record(at: number, isWhole: boolean, limits?: PlanLimits): TurnRecord {
    const found = this.#failure ?? (isWhole && this.#isSettled ? undefined : failure('client_gone'));
    return {
      who: {
        requestId: this.#who.requestId,
        caller: this.#who.caller,
        ...named('client', this.#who.client),
        ...named('session', this.#who.session),
        ...named('conversation', this.#conversation),
        ...named('user', this.#user),
      },
      ...(this.#what && { what: { ...this.#what, model: bounded(this.#what.model, LONGEST_NAME) } }),
      how: {
        ...this.#way,
        times: this.#times(at),
      },
      came: {
        outcome: found?.code ?? 'complete',
        ...(this.#stopReason !== null && { stopReason: this.#stopReason }),
        ...(this.#usage && { usage: withCounts(this.#usage, this.#lateUsage) }),
        ...(found && { failure: failureRecord(found) }),
        ...(limits && { plan: planRecord(limits) }),
      },
    };
  }

  #times(at: number): TurnTimes {
    const { arrived, queued, admitted, loading, loaded, handed, spawned, eventAt } = this.marks;
    const left = this.#leftAt ?? firstOf(this.marks) ?? at;
    return {
      whole: at - arrived,
      ...(queued !== undefined && { queue: (admitted ?? at) - queued }),
      ...(admitted !== undefined && spawned !== undefined && { spawn: spawned - admitted }),
      ...(loading !== undefined && { load: (loaded ?? at) - loading }),
      ...(this.#firstEventAt !== undefined && { firstEvent: this.#firstEventAt - arrived }),
      own: left - arrived + this.#relayMs,
      ...(handed !== undefined && { engine: Math.max(0, (eventAt ?? at) - handed) }),
    };
  }
}

/** When a turn left for the queue or the engine. */
function firstOf({ queued, loading, handed }: TurnMarks): number | undefined {
  const moments = [queued, loading, handed].filter((moment) => moment !== undefined);
  return moments.length === 0 ? undefined : Math.min(...moments);
}

function named<Name extends string>(name: Name, value: string | undefined): { [name in Name]?: string } {
  return value === undefined ? {} : ({ [name]: bounded(value, LONGEST_NAME) } as { [name in Name]: string });
}

function planRecord({ status, windows, overage }: PlanLimits): PlanRecord {
  const known = Object.entries(windows).flatMap(([name, { utilization }]) =>
    utilization === undefined ? [] : [[name, utilization] as const],
  );
  return {
    ...(status && { status }),
    utilization: Object.fromEntries(known),
    isOverageInUse: overage?.isInUse ?? false,
  };
}

function escapedLines(text: string): string {
  return text.split('\n').map(escapeUnseen).join('\n');
}

function failureRecord({ status, type, message, process }: Failure): FailureRecord {
  return {
    status,
    type,
    words: escapedLines(bounded(message, LONGEST_WORDS)),
    ...(process && { process: { ...process, stderr: escapedLines(endOf(process.stderr, LONGEST_STDERR)) } }),
  };
}
