import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Reply } from '../../../scripted-model/script.ts';
import { checkProperty, depthOf } from '../../support/depth.ts';
import { type Conversation, call, FaultStage, type Outcome, type Turn, words } from '../../support/fault-stage.ts';

/**
 * Faults of every kind, in any order and at any moment, on conversations that go on side by side: whatever a turn ends in
 * is an answer that is whole or an error that says so, and sent again it is answered from its full history.
 */

const CONVERSATIONS = 4;
const SIDE_BY_SIDE = 2;
/** Faults hit each other's turns too; sent so often, a turn must be answered. */
const ATTEMPTS = 8;

const ANSWER = words('an answer that takes several deltas');
/** Errors of the API, and what a client gets for them: within its stream, if the answer has begun. */
interface UpstreamFault {
  reply: Reply;
  type: string;
  code: string;
  hasBegun?: boolean;
}
const cut = { type: 'api_error', code: 'upstream_cut' };
const UPSTREAM: Record<string, UpstreamFault> = {
  'reset before the first event': { reply: { ...ANSWER, gap_ms: 5, cut: { after_events: 0, how: 'reset' } }, ...cut },
  'end within a block': {
    reply: { ...ANSWER, gap_ms: 5, cut: { after_events: 5, how: 'end' } },
    ...cut,
    hasBegun: true,
  },
  'reset after the last block': {
    reply: { ...ANSWER, gap_ms: 5, cut: { after_events: 12, how: 'reset' } },
    ...cut,
    hasBegun: true,
  },
  'end after the first of two calls': {
    reply: { ...call('a', 'b'), gap_ms: 5, cut: { after_events: 5, how: 'end' } },
    ...cut,
    hasBegun: true,
  },
  'reset within a call': {
    reply: { ...call('a'), gap_ms: 5, cut: { after_events: 3, how: 'reset' } },
    ...cut,
    hasBegun: true,
  },
  'no event stream': { reply: { raw: { body: 'good morning' } }, ...cut },
  'error within the stream': {
    reply: { ...ANSWER, gap_ms: 5, stream_error: { after_events: 6, type: 'overloaded_error', message: 'busy' } },
    type: 'overloaded_error',
    code: 'upstream_error',
    hasBegun: true,
  },
  'a 429': {
    reply: { error: { status: 429, type: 'rate_limit_error', message: 'slowly', headers: { 'retry-after': '1' } } },
    type: 'rate_limit_error',
    code: 'upstream_error',
  },
  'a 500': {
    reply: { error: { status: 500, type: 'api_error', message: 'oops' } },
    type: 'api_error',
    code: 'upstream_error',
  },
  silence: {
    reply: { ...ANSWER, gap_ms: 5, cut: { after_events: 4, how: 'silence' } },
    type: 'timeout_error',
    code: 'upstream_stalled',
    hasBegun: true,
  },
};

/** Of the gateway: a held call is given up between the others and a late one, a silent API is, too. */
const FLAGS = ['--max-processes', '3', '--spares', '1', '--held-minutes', '0.05', '--stall-minutes', '0.2'];
const LATE_MS = 4_000;

const moment = fc.integer({ min: 0, max: 400 });
const fault = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('none' as const) }) },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('upstream' as const), name: fc.constantFrom(...Object.keys(UPSTREAM)) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('leave' as const), how: fc.constantFrom('FIN', 'RST'), afterMs: moment }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('kill' as const), which: fc.nat(), afterMs: moment }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('twice' as const), afterMs: moment }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('late' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), afterMs: moment }) },
);
const step = fc.record({
  conversation: fc.nat({ max: CONVERSATIONS - 1 }),
  /** How many tools the answer calls; none: it is words. */
  calls: fc.integer({ min: 0, max: 2 }),
  gap_ms: fc.constantFrom(0, 0, 30),
  stream: fc.boolean(),
  fault,
});
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;
type Fault = Step['fault'];

/** What the seed must reach; what each fault has cost is the machine's to say. */
const KINDS = [
  ...Object.keys(UPSTREAM).map((name) => `upstream, ${name}`),
  ...['leave by FIN', 'leave by RST', 'kill', 'late', 'none', 'restart', 'twice'],
].sort();

/** Errors that a killed process may end a turn in. */
const LOST = ['process_lost', 'process_spawn_failed'];

test('faults in any order and at any moment', { tags: ['soak'] }, async () => {
  const depth = depthOf('faultsInAnyOrder');
  const seen = new Set<string>();
  await checkProperty(
    depth,
    fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 14 }), async (steps) => {
      if (depth.isOver()) return;
      const run = await Run.open(seen);
      await run.take(steps);
    }),
    {
      // A smaller list of steps takes as long to try as this one took.
      endOnFailure: true,
    },
  );
  if (!depth.isOver()) expect([...seen].sort()).toEqual(KINDS);
});

class Run {
  readonly #stage: FaultStage;
  readonly #conversations: Conversation[];
  readonly #seen: Set<string>;
  #restarting: Promise<void> | undefined;
  #restarts = 0;
  /** Processes that were killed, each of which may cost one turn its answer. */
  #kills = 0;
  #lost = 0;

  private constructor(stage: FaultStage, seen: Set<string>) {
    this.#stage = stage;
    this.#seen = seen;
    this.#conversations = Array.from({ length: CONVERSATIONS }, () => stage.conversation());
  }

  static async open(seen: Set<string>): Promise<Run> {
    return new Run(await FaultStage.open(FLAGS), seen);
  }

  async take(steps: Step[]): Promise<void> {
    const left = [...steps];
    const busy = new Set<number>();
    const worker = async () => {
      for (;;) {
        const at = left.findIndex(({ conversation }) => !busy.has(conversation));
        const [next] = at < 0 ? [] : left.splice(at, 1);
        if (!next) return;
        busy.add(next.conversation);
        await this.#step(next);
        busy.delete(next.conversation);
      }
    };
    try {
      await Promise.all(Array.from({ length: SIDE_BY_SIDE }, worker));
    } finally {
      await this.#restarting;
      await this.#stage.close();
    }
  }

  async #step({ conversation: at, calls, gap_ms, stream, fault }: Step): Promise<void> {
    const conversation = this.#conversations[at] as Conversation;
    const reply = { ...(calls > 0 ? call(...Array.from({ length: calls }, (_, n) => `${n}`)) : ANSWER), gap_ms };
    const upstream = fault.kind === 'upstream' ? UPSTREAM[fault.name] : undefined;
    const turn = conversation.next(...(upstream ? [upstream.reply, reply] : [reply]));
    const due = dueError(upstream, stream);
    let outcome = await this.#under(fault, turn, stream);
    this.#seen.add(nameOf(fault));
    for (let attempt = 1; outcome?.kind !== 'answer'; attempt += 1) {
      if (outcome?.kind === 'error') this.#expectDue(outcome, turn, due);
      if (attempt > ATTEMPTS) throw new Error(`${turn.mark} is not answered: ${JSON.stringify(outcome)}`);
      outcome = await this.#send(turn, stream);
    }
    conversation.keep(turn, outcome);
  }

  /** Sends a turn once and lets its fault happen; undefined when the client did not stay to see. */
  async #under(fault: Fault, turn: Turn, stream: boolean): Promise<Outcome | Broken | undefined> {
    switch (fault.kind) {
      case 'none':
      case 'upstream':
        return this.#send(turn, stream);
      case 'late':
        await sleep(LATE_MS);
        return this.#send(turn, stream);
      case 'leave': {
        await this.#restarting;
        const { socket } = turn.sendAlone({ stream });
        await sleep(fault.afterMs);
        if (fault.how === 'FIN') socket.end();
        else socket.resetAndDestroy();
        return undefined;
      }
      case 'kill': {
        const sending = this.#send(turn, stream);
        await sleep(fault.afterMs);
        await this.#restarting;
        const pids = this.#stage.processes();
        const pid = pids[fault.which % pids.length];
        if (pid !== undefined) {
          this.#kills += 1;
          this.#stage.killProcess(pid);
        }
        return sending;
      }
      case 'twice': {
        const first = this.#send(turn, stream);
        await sleep(fault.afterMs);
        const [one, other] = await Promise.all([first, this.#send(turn, stream)]);
        if (one.kind === 'error') this.#expectDue(one, turn);
        else if (one.kind === 'answer') turn.expectAnswer(one);
        return other;
      }
      case 'restart': {
        const sending = this.#send(turn, stream);
        await sleep(fault.afterMs);
        await this.#restart();
        return sending;
      }
    }
  }

  async #send(turn: Turn, stream: boolean): Promise<Outcome | Broken> {
    await this.#restarting;
    const restarts = this.#restarts;
    try {
      return await turn.send({ stream });
    } catch (error) {
      // A connection breaks with its gateway, and never else.
      if (this.#restarts === restarts) throw error;
      return { kind: 'broken' };
    }
  }

  async #restart(): Promise<void> {
    await this.#restarting;
    this.#restarts += 1;
    this.#restarting = this.#stage.kill().then(() => this.#stage.restart());
    await this.#restarting;
    this.#restarting = undefined;
  }

  /** An error is the one that the API made of this turn, once, or one for a process that was killed. */
  #expectDue(outcome: Outcome & { kind: 'error' }, { mark }: Turn, due: object[] = []): void {
    if (due.length > 0 && !LOST.includes(outcome.code ?? '')) {
      expect([outcome], mark).toMatchObject(due.splice(0));
      return;
    }
    expect(LOST, `${mark}: ${JSON.stringify(outcome)}`).toContain(outcome.code);
    this.#lost += 1;
    expect(this.#lost, `${mark}: ${JSON.stringify(outcome)}`).toBeLessThanOrEqual(this.#kills);
  }
}

/** What the first call of the model for a turn must end in, if it is one that an error was planned for. */
function dueError(fault: UpstreamFault | undefined, stream: boolean): object[] {
  if (!fault) return [];
  const { type, code, hasBegun } = fault;
  const isEvent = stream && hasBegun === true;
  return [{ as: isEvent ? 'event' : 'status', type, code: isEvent && code === 'upstream_error' ? undefined : code }];
}

function nameOf(fault: Fault): string {
  if (fault.kind === 'upstream') return `upstream, ${fault.name}`;
  return fault.kind === 'leave' ? `leave by ${fault.how}` : fault.kind;
}

/** The connection broke before the answer had come to its end. */
interface Broken {
  kind: 'broken';
}
