import type { Agent } from '../spec/agent.ts';
import type { CountedFor, CountedPlaces, PlaceCounts } from '../spec/counted-part.ts';
import type { BegunTurn, Engine, Introduction, ProcessListener, Spare, SpareLikeness } from '../spec/engine.ts';
import { type Failure, isUnauthenticated } from '../spec/failures.ts';
import type { MessagesRequest } from '../spec/messages.ts';
import type { HeardModel } from '../spec/model-listing.ts';
import type { PlanLimits } from '../spec/plan-limits.ts';
import { type AgentMaker, spawnAgent } from './agents/agent-process.ts';
import { isPersonal } from './agents/expansion.ts';
import { WorkspaceProcesses } from './agents/workspace-processes.ts';
import { Announcements, type EngineLog } from './announcements/announcements.ts';
import { probeBy } from './announcements/probe.ts';
import { BARE } from './announcements/silence.ts';
import type { ProcessRules } from './process/claude-process.ts';
import { ClaudeSpare } from './process/claude-spare.ts';
import { ProcessMaker, type ProcessMakerOptions } from './process/process-maker.ts';
import { SilentSpare } from './process/silent-spare.ts';
import { introduce } from './questions/introduce.ts';
import { ProcessCounter } from './questions/process-counter.ts';
import { renewSignIn } from './questions/renew-sign-in.ts';
import { replayInNewProcess } from './replay/replay-process.ts';
import { reuseKey } from './reuse/reuse-key.ts';
import { SignIn } from './sign-in/sign-in.ts';

export interface ClaudeEngineOptions extends ProcessMakerOptions {
  /** Silence after which a turn is given up, in milliseconds. */
  stallMs: number;
  /** Hears what the engine learns late, such as an announcement that was not known. */
  log: EngineLog;
  /** Who repeats a model call that failed or met a busy API. */
  retries: 'client' | 'gateway';
  /** Hears what is told of the plan's limits, before the failure that a limit makes and behind every other answer. */
  onLimits: (heard: PlanLimits) => void;
  /** Hears of each model that has answered, as often as it answers. */
  onModel: (heard: HeardModel) => void;
  /** By their names. */
  agents?: ReadonlyMap<string, Agent>;
  /** Hears at the beginning of each turn of an agent which of its servers of tools do not work. */
  onServers?: (agent: string, failing: string[]) => void;
  /** Whether another gateway may have agents at work in a workspace. */
  isShared?: (workspace: string) => Promise<boolean>;
}

/** The engine over the Claude Agent SDK: each conversation is a `claude` process. */
export class ClaudeEngine implements Engine {
  readonly #maker: ProcessMaker;
  readonly #rules: ProcessRules;
  readonly #agents: ReadonlyMap<string, Agent>;
  readonly #agentMaker: AgentMaker;
  readonly #counter: ProcessCounter;
  /** In full mode. */
  readonly #announcements: Announcements | undefined;
  /** Where a login pays. */
  readonly #signIn: SignIn | undefined;
  #canReuse = false;

  constructor({
    stallMs,
    retries,
    log,
    onLimits,
    onModel,
    agents = new Map(),
    onServers = () => undefined,
    isShared = async () => false,
    ...options
  }: ClaudeEngineOptions) {
    this.#agents = agents;
    const failsAtFirstRetry = retries === 'client';
    this.#maker = new ProcessMaker(options);
    this.#counter = new ProcessCounter(this.#maker);
    const { mode, isLogin, variables } = options.environment;
    this.#signIn = isLogin ? new SignIn(variables, () => renewSignIn(this.#maker)) : undefined;
    this.#announcements =
      mode === 'full' ? new Announcements(probeBy(this.#maker), log, () => this.#signIn?.versionInUse) : undefined;
    const headersFor = (via: readonly string[]) => this.#maker.headersFor(via);
    this.#rules = { directory: options.directory, stallMs, failsAtFirstRetry, headersFor, onLimits, onModel, log };
    const workspaces = new WorkspaceProcesses(isShared);
    this.#agentMaker = { maker: this.#maker, rules: this.#rules, log, workspaces, onServers };
  }

  async prepare({ model, agent }: Pick<MessagesRequest, 'model' | 'agent'>): Promise<void> {
    // An agent is told all but who owns the account, and that only a login announces.
    if (agent && !this.#signIn) return;
    await this.#announcements?.prepare(model);
  }

  async recover(failure: Failure): Promise<boolean> {
    // Its process ended before it called the model.
    if (failure.code === 'process_tools_missing') return true;
    if (!this.#signIn || !isUnauthenticated(failure)) return false;
    await this.#signIn.renew();
    return true;
  }

  /** The history becomes a transcript that the process resumes; works for any history, and for none. */
  replay(request: MessagesRequest, listener: ProcessListener): BegunTurn {
    const agent = request.agent && this.#agents.get(request.agent.name);
    const silence = this.#announcements?.silence(request.model) ?? BARE;
    if (agent) {
      return spawnAgent(this.#agentMaker, agent, request, silence.announced.filter(isPersonal), listener);
    }
    return replayInNewProcess(this.#maker, this.#rules, silence, request, listener);
  }

  get signIn(): string | undefined {
    return this.#signIn?.isGone ? 'gone' : this.#signIn?.version;
  }

  get sparesServe(): 'any request' | 'alike requests' {
    return this.#announcements ? 'alike requests' : 'any request';
  }

  async spawnSpare(likeness?: SpareLikeness): Promise<Spare> {
    const announcements = this.#announcements;
    if (!announcements) return ClaudeSpare.spawn(this.#maker, this.#rules);
    if (!likeness) throw new Error('a spare in full mode is spawned for alike requests');
    await announcements.prepare(likeness.model);
    return SilentSpare.spawn(this.#maker, this.#rules, announcements.silence(likeness.model), likeness);
  }

  async introduction(): Promise<Introduction> {
    const { canReuse, ...introduction } = await introduce(this.#maker);
    this.#canReuse = canReuse;
    return introduction;
  }

  countTokens(
    asked: CountedFor,
    parts: CountedPlaces,
    onSpawned: () => void,
    signal: AbortSignal,
  ): Promise<PlaceCounts> {
    this.#signIn?.use();
    return this.#counter.count(asked, parts, onSpawned, signal);
  }

  get reuse(): 'on' | 'unsupported' {
    return this.#canReuse ? 'on' : 'unsupported';
  }

  reuseKey(request: MessagesRequest): string | undefined {
    return this.#canReuse && !request.agent ? reuseKey(request) : undefined;
  }

  async tidy(name: string): Promise<void> {
    const agent = this.#agents.get(name);
    if (agent) await this.#agentMaker.workspaces.tidy(agent);
  }

  close(): void {
    this.#signIn?.close();
  }

  endAll(): void {
    this.#maker.endAll();
  }

  allGone(): Promise<void> {
    return this.#maker.allGone();
  }

  abandonAll(): void {
    this.#maker.abandonAll();
  }
}
