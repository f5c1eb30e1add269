import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelRequest, Reply, RuleFunction } from '../../scripted-model/script.ts';
import { type RecordedRequest, type ScriptedModel, startScriptedModel } from '../../scripted-model/testing.ts';
import { type Health, type StartOptions, startGateway, type TestGateway, until } from '../support/gateway.ts';
import { OwnCalls } from '../support/own-calls.ts';
import { type Pair, pairUp } from './comparison.ts';
import { asDeclared } from './declared.ts';
import { sentToModel, speaksOpenAi } from './openai-sent.ts';
import type { Project } from './project.ts';
import { type Exchange, RecordingProxy } from './recording-proxy.ts';

/** What happened during one run of a client. */
export interface Observation<Run> {
  run: Run;
  /** Between the client and the gateway: every POST. */
  exchanges: Exchange[];
  /** Whatever else the client asked for. */
  others: Exchange[];
  /** What the model has to see of each exchange: what the client sent, but for what the gateway declared. */
  expected: ModelRequest[];
  /** Between the gateway and the model. */
  seen: RecordedRequest[];
  pairs: Pair[];
}

/** May delay a request on its way; `exchanges` are all of this run so far. */
export type Pacing = (exchange: Exchange, exchanges: () => Exchange[]) => Promise<void>;

/** Agents as an operator's configuration file defines them, by their names. */
export type AgentDefinitions = Readonly<Record<string, object>>;

const AT_ONCE: Pacing = async () => undefined;

/** Everything that takes part: the scripted model, the gateway over it, the recording in front, and the projects. */
export class Stage {
  /** The model's reply to each request that it saw. */
  readonly replies: Map<ModelRequest, Reply>;
  readonly #model: ScriptedModel;
  readonly #ownCalls: OwnCalls;
  readonly #proxy: RecordingProxy;
  readonly #projects: Project[] = [];
  readonly #setting: Setting;
  #gateway: TestGateway;
  #gatewayOutput = '';

  private constructor(
    replies: Stage['replies'],
    model: ScriptedModel,
    ownCalls: OwnCalls,
    setting: Setting,
    gateway: TestGateway,
    proxy: RecordingProxy,
  ) {
    this.replies = replies;
    this.#model = model;
    this.#ownCalls = ownCalls;
    this.#setting = setting;
    this.#gateway = gateway;
    this.#proxy = proxy;
  }

  /**
   * @param agents of the gateway; none by default
   * @param flags further ones of the gateway
   */
  static async start(agents?: AgentDefinitions, flags: readonly string[] = []): Promise<Stage> {
    const replies: Stage['replies'] = new Map();
    // Clients write reminders, too: only behind such an answer are they Claude Code's.
    const ownCalls = new OwnCalls(({ events, body }) => events > 0 && mayGoOn(body, replies.get(body)));
    const model = await startScriptedModel({ onRequest: ownCalls.hear });
    const setting = settingOf(agents, flags);
    const gateway = await startGateway(model.url, ...setting.start);
    return new Stage(replies, model, ownCalls, setting, gateway, await RecordingProxy.start(gateway.url));
  }

  /** What a client is to be told to be the Messages API; without `/v1`. */
  get url(): string {
    return this.#proxy.url;
  }

  /** What the gateways have written so far. */
  get gatewayOutput(): string {
    return `${this.#gatewayOutput}${this.#gateway.output()}`;
  }

  /** How many processes the gateway has, by what they do. */
  async processes(): Promise<Health['processes']> {
    return (await this.#gateway.health()).processes;
  }

  /** Removes the project at the end, too. */
  add<AnyProject extends Project>(project: AnyProject): AnyProject {
    this.#projects.push(project);
    return project;
  }

  /** Replaces what the model answers; a request that no rule knows gets an error. */
  script(...rules: RuleFunction[]): void {
    this.#model.use([
      (request) => {
        const reply = rules.map((rule) => rule(request)).find((found) => found !== undefined) ?? NO_ANSWER;
        this.replies.set(request, reply);
        return reply;
      },
    ]);
  }

  /** Runs a client and tells what happened on both sides of the gateway. */
  async observe<Run>(runClient: () => Promise<Run>, pacing: Pacing = AT_ONCE): Promise<Observation<Run>> {
    const exchangesBefore = this.#proxy.exchanges.length;
    const seenBefore = this.#model.requests.length;
    const all = () => this.#proxy.exchanges.slice(exchangesBefore);
    const posts = () => all().filter(isPost);
    this.#proxy.beforeForwarding = async (exchange) => {
      if (isPost(exchange)) await pacing(exchange, posts);
    };
    const run = await runClient();
    await until('every answer has ended', () => all().every(({ outcome }) => outcome !== 'open'));
    const exchanges = posts();
    if (exchanges.length === 0) throw new Error(`The client sent nothing: ${JSON.stringify(run)}`);
    // On a busy machine Claude Code may make one behind an answer that it is killed for.
    const seen = this.#model.requests.slice(seenBefore).filter((request) => !this.#ownCalls.has(request));
    const expected = exchanges.map((exchange, index) =>
      speaksOpenAi(exchange)
        ? sentToModel(exchange, exchanges.slice(0, index))
        : asDeclared(exchange.body, exchange.answerHeaders),
    );
    const pairs = pairUp(
      expected,
      seen.map(({ body }) => body),
    );
    return { run, exchanges, others: all().filter((exchange) => !isPost(exchange)), expected, seen, pairs };
  }

  /**
   * Replaces the gateway by a new one, which knows of no conversation but of what is kept of its agents.
   *
   * @param more flags of this one
   */
  async restartGateway(more: readonly string[] = []): Promise<void> {
    await this.#gateway.stop();
    this.#gatewayOutput += this.#gateway.output();
    const [flags, options] = this.#setting.start;
    this.#gateway = await startGateway(this.#model.url, [...flags, ...more], options);
    this.#proxy.forwardTo(this.#gateway.url);
  }

  /** Ends every process and removes every file. */
  async close(): Promise<void> {
    await this.#proxy.close();
    await this.#gateway.stop();
    await this.#model.close();
    for (const project of this.#projects) project.remove();
    this.#setting.remove();
  }
}

/** How each gateway of a stage is started. */
interface Setting {
  start: [flags: string[], options: StartOptions];
  remove: () => void;
}

function settingOf(agents: AgentDefinitions | undefined, flags: readonly string[]): Setting {
  if (!agents) return { start: [[...flags], {}], remove: () => undefined };
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-agents-'));
  const file = join(folder, 'config.json');
  writeFileSync(file, JSON.stringify({ agents }));
  return {
    // Agents take no spares.
    start: [['--config', file, '--spares', '0', ...flags], { env: { XDG_STATE_HOME: join(folder, 'state') } }],
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Whether Claude Code may call again by itself behind this answer, see docs/decisions/0004. */
function mayGoOn({ tools = [] }: ModelRequest, reply: Reply | undefined): boolean {
  if (!reply) return true;
  const { content = [], stop_reason, cut, stream_error, raw } = reply;
  const isPlain = content.some((block) =>
    block.type === 'tool_use'
      ? !('raw_input' in block) && tools.some(({ name }) => name === block.name)
      : block.type === 'text',
  );
  return !isPlain || Boolean(stop_reason ?? cut ?? stream_error ?? raw);
}

function isPost({ method }: Exchange): boolean {
  return method === 'POST';
}

/** Which way the gateway says that a turn took. */
export function pathOf({ answerHeaders }: Exchange): unknown {
  return answerHeaders['isthmus-path'];
}

/** Which way each turn took. */
export function pathsOf({ exchanges }: Pick<Observation<unknown>, 'exchanges'>): unknown[] {
  return exchanges.map(pathOf);
}

const NO_ANSWER: Reply = {
  error: { status: 400, type: 'invalid_request_error', message: 'The script has no answer to this request.' },
};
