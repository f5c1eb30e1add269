import { obstacleToLoad } from '../conversation/carriage.ts';
import type { Lineage } from '../conversation/lineage.ts';
import { missesThinking, withoutThinking } from '../conversation/missing-thinking.ts';
import { LineageRegistry, type Sharing } from '../conversation/registry.ts';
import { chooseRoute, loadInto } from '../conversation/route.ts';
import type { ProcessPool } from '../processes/pool.ts';
import type { Seeker, ServedTurn, UseInstead } from '../processes/seeker.ts';
import type { ConversationProcess, Engine } from '../spec/engine.ts';
import type { ServedBy, TurnPath } from '../spec/turn-events.ts';

/** The way that a turn took to the model. */
export interface Way {
  path: TurnPath;
  by: ServedBy;
  /** Why a turn with a history was not continued, or why a process that was used before did not take it. */
  reason?: string;
  /** Whether the model does not think in this turn, since its API would refuse the messages. */
  isWithoutThinking?: true;
}

/** A turn that a process has begun, and how. */
export interface ReachedTurn {
  way: Way;
  turn: ServedTurn;
}

/** What a request needs of the process that is to take it. */
interface Task extends Seeker {
  /** Undefined where no process takes another conversation. */
  key: string | undefined;
  lineages: readonly Lineage[];
}

/** A process that waits, and how much of a request it holds. */
interface Candidate {
  process: ConversationProcess;
  shared: number;
}

const CUT_BACK = 'the history was changed behind what a live process holds';
const LIVE_LOST = 'the live process was lost';
const NOT_LOADED = 'a process that was used before did not take it';

/**
 * The ways of turns to the model, the quickest that is exact: the live process goes on, or goes back to what it shares with the
 * request; a process that had another conversation of the same caller takes it; a spare; a new process.
 */
export class Ways {
  readonly #registry = new LineageRegistry<ConversationProcess>();
  readonly #engine: Pick<Engine, 'reuseKey'>;
  readonly #pool: ProcessPool;
  readonly #reuses: boolean;
  /** Processes whose newest calls the model has made without thinking. */
  readonly #thoughtless = new WeakSet<ConversationProcess>();

  /** @param reuses whether a process may take another conversation */
  constructor(engine: Pick<Engine, 'reuseKey'>, pool: ProcessPool, reuses: boolean) {
    this.#engine = engine;
    this.#pool = pool;
    this.#reuses = reuses;
  }

  /** A process has ended. */
  forget(process: ConversationProcess): void {
    this.#registry.remove(process);
  }

  /**
   * A process waits for its conversation's next turn.
   *
   * @param lineages of all beginnings of what it holds
   */
  settle(process: ConversationProcess, lineages: readonly Lineage[]): void {
    this.#registry.add(lineages, process);
  }

  /**
   * Gives a turn up whose client has gone. Where processes are used again, its process lives on, and holds what was there before
   * the turn.
   *
   * @param lineages of all beginnings of the turn's request
   */
  async giveUp({ process, isOwn }: ServedTurn, lineages: readonly Lineage[]): Promise<void> {
    if (!isOwn()) return;
    if (!this.#reuses || process.reuseKey === undefined || process.state !== 'streaming') return process.end();
    const held = await process.giveUp();
    if (held === undefined || !isOwn()) return;
    if (held === 0) this.#pool.isEmpty(process);
    else this.#registry.add(lineages.slice(0, held + 1), process);
  }

  /**
   * Brings a turn to a process.
   *
   * @param lineages of all beginnings of its request
   * @throws FailureError when the turn could not begin
   */
  async reach(seeker: Seeker, lineages: readonly Lineage[]): Promise<ReachedTurn> {
    const { way, turn } = await this.#reach(seeker, lineages);
    if (!this.#thoughtless.has(turn.process)) return { way, turn };
    return { way: { ...way, isWithoutThinking: true }, turn };
  }

  async #reach(seeker: Seeker, lineages: readonly Lineage[]): Promise<ReachedTurn> {
    const { request } = seeker;
    const live = this.#registry.take(lineages.at(-2) as Lineage);
    const route = chooseRoute(request, live);
    let reason = route.path === 'replay' ? route.reason : undefined;
    if (live && route.path === 'continue') {
      const turn = await this.#continue(live, seeker);
      if (turn) return { way: { path: 'continue', by: 'live' }, turn };
      reason = LIVE_LOST;
    }
    const path = route.path === 'start' ? 'start' : 'replay';
    const task = { ...seeker, key: this.#reuses ? this.#engine.reuseKey(request) : undefined, lineages };
    return this.#withoutContinuing(task, live, { path, by: 'new', ...(reason !== undefined && { reason }) });
  }

  async #continue(live: ConversationProcess, seeker: Seeker): Promise<ServedTurn | undefined> {
    const { signal, marks } = seeker;
    const isOwn = this.#pool.hold(live);
    marks.handed = performance.now();
    const { request } = this.#thinkable(seeker, live);
    const events = await live.continue(request, signal);
    if (events) return { process: live, events, isOwn };
    live.end();
    return undefined;
  }

  /**
   * @param superseded what the request replaces
   * @param way that of a new process
   */
  async #withoutContinuing(task: Task, superseded: ConversationProcess | undefined, way: Way): Promise<ReachedTurn> {
    const isLoadable = task.key !== undefined && obstacleToLoad(task.request.messages, 0) === undefined;
    const found = isLoadable ? this.#usable(task, superseded, way) : undefined;
    // Before anything else ends: an end gives others room, and what waits is then evicted.
    const loading = found && this.#load(found.candidate, task);
    if (superseded && superseded !== found?.candidate.process) this.#supersede(superseded, task);
    if (found) {
      const turn = await loading;
      return turn ? { way: found.way, turn } : this.#anew(task, { ...way, reason: NOT_LOADED });
    }
    const spare = await this.#spare(task);
    if (spare) return { way: { ...way, by: 'spare' }, turn: spare };
    let used: ReturnType<UseInstead>;
    const turn = await this.#replay(task, (isFull) => {
      const candidate = isLoadable ? this.#used(task, isFull) : undefined;
      used = candidate && this.#load(candidate, task);
      return used;
    });
    if (turn) return { way: { ...way, by: used ? 'used' : 'new' }, turn };
    return this.#anew(task, { ...way, reason: NOT_LOADED });
  }

  /** The conversation of a process goes on elsewhere: it waits for another one, where it may take one and none like it waits. */
  #supersede(process: ConversationProcess, { caller }: Task): void {
    const { state, reuseKey: key, staleness } = process;
    const mayWait =
      this.#reuses && key !== undefined && state === 'idle' && !staleness && this.#pool.takesLoads(process);
    const waiting = mayWait && this.#pool.usedFor({ callerId: caller.id, key }, false);
    if (mayWait && (!waiting || waiting === process)) this.#pool.isEmpty(process);
    else process.end();
  }

  async #anew(task: Task, way: Way): Promise<ReachedTurn> {
    return { way, turn: await this.replay(task) };
  }

  /** Brings a turn to a new process, with its whole history. */
  async replay(seeker: Seeker): Promise<ServedTurn> {
    return (await this.#replay(seeker)) as ServedTurn;
  }

  async #replay(seeker: Seeker, instead?: UseInstead): Promise<ServedTurn | undefined> {
    return this.#byAnother(seeker, (asking) => this.#pool.replay(asking, instead));
  }

  /** A process that is expected to take the request by a load sooner than a new one. */
  #usable(
    task: Task,
    superseded: ConversationProcess | undefined,
    way: Way,
  ): { candidate: Candidate; way: Way } | undefined {
    const oneShot = way.path === 'start' ? this.#used(task, false) : undefined;
    if (oneShot) return { candidate: oneShot, way: { ...way, by: 'used' } };
    const sharing = this.#superseded(task, superseded) ?? this.#mostSharing(task);
    if (sharing && way.path === 'start') return { candidate: sharing, way: { ...way, by: 'used' } };
    if (sharing) {
      const reason = sharing.process === superseded ? way.reason : CUT_BACK;
      return { candidate: sharing, way: { path: 'rewind', by: 'live', ...(reason !== undefined && { reason }) } };
    }
    const used = this.#used(task, false);
    return used && { candidate: used, way: { ...way, by: 'used' } };
  }

  #superseded(task: Task, process: ConversationProcess | undefined): Candidate | undefined {
    const shared = task.request.messages.length - 1;
    return process && this.#pays(task, process, shared) ? { process, shared } : undefined;
  }

  #mostSharing(task: Task): Candidate | undefined {
    const history = task.request.messages.length - 1;
    const found = this.#registry.mostSharing(
      task.lineages,
      (sharing) => isGivenUp(sharing, history) && this.#pays(task, sharing.live, Math.min(sharing.shared, history)),
    );
    return found && { process: found.live, shared: Math.min(found.shared, history) };
  }

  #used(task: Task, isFull: boolean): Candidate | undefined {
    const { key, caller } = task;
    const process = key === undefined ? undefined : this.#pool.usedFor({ callerId: caller.id, key }, isFull);
    return process && this.#pays(task, process, 0) ? { process, shared: 0 } : undefined;
  }

  /** Whether a process carries the request by a load, and sooner than a new one. */
  #pays({ request, key }: Task, process: ConversationProcess, shared: number): boolean {
    if (key === undefined || !this.#pool.takesLoads(process)) return false;
    const messages = loadInto(process, { request, key, shared });
    return messages !== undefined && this.#pool.isQuicker('used', messages);
  }

  /** The process is taken at once. */
  #load({ process, shared }: Candidate, task: Task): Promise<ServedTurn | undefined> {
    this.#registry.remove(process);
    // What it loads it has from the client.
    const hasCalls = process.messagesToLoad(task.request, shared) === 0;
    return this.#pool.load(process, shared, this.#thinkable(task, process, hasCalls));
  }

  /**
   * A process has the thinking of its own calls, whatever the client sends back. Anybody else gets what the client sends, and if
   * there is no thinking before its calls, the model does not think until the loop is over.
   *
   * @param hasCalls whether the process has the newest calls from the model itself
   */
  #thinkable<Asking extends Seeker>(seeker: Asking, process: ConversationProcess, hasCalls = true): Asking {
    const isWithout = missesThinking(seeker.request) && (!hasCalls || this.#thoughtless.has(process));
    if (isWithout) this.#thoughtless.add(process);
    else this.#thoughtless.delete(process);
    return isWithout ? { ...seeker, request: withoutThinking(seeker.request) } : seeker;
  }

  async #spare(task: Task): Promise<ServedTurn | undefined> {
    const { messages, agent } = task.request;
    if (agent) return undefined;
    const history = messages.length - 1;
    if (obstacleToLoad(messages, history) !== undefined) return undefined;
    if (history > 0 && (task.key === undefined || !this.#pool.isQuicker('spare', history))) return undefined;
    return this.#byAnother(task, (asking) => this.#pool.claimSpare(asking));
  }

  /** A turn by a process that has nothing of its conversation. */
  async #byAnother(
    seeker: Seeker,
    take: (asking: Seeker) => Promise<ServedTurn | undefined>,
  ): Promise<ServedTurn | undefined> {
    if (!missesThinking(seeker.request)) return take(seeker);
    const turn = await take({ ...seeker, request: withoutThinking(seeker.request) });
    if (turn) this.#thoughtless.add(turn.process);
    return turn;
  }
}

/**
 * Whether a process may be rewound for a request that shares a beginning with it. That alone does not tell that its conversation
 * is given up: a program that asks the same several times at once shares a beginning with each of its own conversations. So a first
 * question takes only a process that is idle after one answer. A request with a history takes any idle process, but one that holds
 * calls only if it shares at least half of that conversation.
 *
 * @param history how many messages the request has before its newest
 */
function isGivenUp({ live, shared, held }: Sharing<ConversationProcess>, history: number): boolean {
  if (history === 0) return live.state === 'idle' && held === 2;
  return live.state === 'idle' || shared * 2 >= held;
}
