import {
  type ModelRequest,
  newestToolResults,
  newestUserText,
  type Reply,
  type RuleFunction,
  type ScriptedBlock,
} from '../../src/scripted-model/script.ts';
import { type RecordedRequest, ScriptedModel } from '../../src/scripted-model/server.ts';
import { startGateway, type TestGateway, until } from '../support/gateway.ts';
import { type Pair, pairUp } from './comparison.ts';
import { OpenCodeProject, type OpenCodeRun } from './opencode.ts';
import { type Exchange, RecordingProxy } from './recording-proxy.ts';

/** How long a request may wait for another one, in milliseconds, before its connection is dropped. */
const LONGEST_WAIT_MS = 60_000;

/** What happened during one `opencode` command. */
export interface Observation {
  run: OpenCodeRun;
  /** Between OpenCode and the gateway. */
  exchanges: Exchange[];
  /** Between the gateway and the model. */
  seen: RecordedRequest[];
  pairs: Pair[];
}

export interface ObserveOptions {
  /** Lets the title request and the first main one go to the gateway only when both have come. */
  together?: boolean;
}

/** Everything that takes part: the scripted model, the gateway over it, the recording in front, and the projects. */
export class Stage {
  /** The model's reply to each request that it saw. */
  readonly replies = new Map<ModelRequest, Reply>();
  readonly #model: ScriptedModel;
  readonly #proxy: RecordingProxy;
  readonly #projects: OpenCodeProject[] = [];
  #gateway: TestGateway;
  #gatewayOutput = '';

  private constructor(model: ScriptedModel, gateway: TestGateway, proxy: RecordingProxy) {
    this.#model = model;
    this.#gateway = gateway;
    this.#proxy = proxy;
  }

  static async start(): Promise<Stage> {
    const model = await ScriptedModel.start();
    const gateway = await startGateway(model.url);
    return new Stage(model, gateway, await RecordingProxy.start(gateway.url));
  }

  /** What the gateways have written so far. */
  get gatewayOutput(): string {
    return `${this.#gatewayOutput}${this.#gateway.output()}`;
  }

  /** A new repository in which OpenCode talks to the gateway. */
  addProject(files: Record<string, string>): OpenCodeProject {
    const project = new OpenCodeProject(`${this.#proxy.url}/v1`, files);
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

  /** Runs `opencode` with these arguments and tells what happened on both sides of the gateway. */
  async observe(
    project: OpenCodeProject,
    args: string[],
    { together = false }: ObserveOptions = {},
  ): Promise<Observation> {
    const exchangesBefore = this.#proxy.exchanges.length;
    const seenBefore = this.#model.requests.length;
    const exchanges = () => this.#proxy.exchanges.slice(exchangesBefore);
    const titles = () => exchanges().filter(({ body }) => isTitle(body));
    this.#proxy.beforeForwarding = async ({ body }) => {
      if (together) {
        const haveMet = () => titles().length > 0 && titles().length < exchanges().length;
        await until('a title request and a main one have come', haveMet, LONGEST_WAIT_MS);
      }
      // OpenCode drops its title request when it has finished before it, so the title goes first.
      if (!isTitle(body) && newestToolResults(body).length > 0) {
        const areDone = () => titles().every(({ outcome }) => outcome !== 'open');
        await until('the title request has been answered', areDone, LONGEST_WAIT_MS);
      }
    };
    const run = await project.run(...args);
    await until('every answer has ended', () => exchanges().every(({ outcome }) => outcome !== 'open'));
    const seen = this.#model.requests.slice(seenBefore);
    const sentBodies = exchanges().map(({ body }) => body);
    const seenBodies = seen.map(({ body }) => body);
    if (sentBodies.length === 0) throw new Error(`OpenCode sent nothing; it ended with ${run.code}: ${run.stderr}`);
    return { run, exchanges: exchanges(), seen, pairs: pairUp(sentBodies, seenBodies) };
  }

  /** Replaces the gateway by a new one, which knows of no conversation. */
  async restartGateway(): Promise<void> {
    await this.#gateway.stop();
    this.#gatewayOutput += this.#gateway.output();
    this.#gateway = await startGateway(this.#model.url);
    this.#proxy.forwardTo(this.#gateway.url);
  }

  /** Ends every process and removes every file. */
  async close(): Promise<void> {
    await this.#proxy.close();
    await this.#gateway.stop();
    await this.#model.close();
    for (const project of this.#projects) project.remove();
  }
}

const NO_ANSWER: Reply = {
  error: { status: 400, type: 'invalid_request_error', message: 'The script has no answer to this request.' },
};

/** OpenCode's title requests are the only ones without tools. */
export function isTitle({ tools }: ModelRequest): boolean {
  return (tools ?? []).length === 0;
}

/** Answers title requests. */
export function titleRule(...content: ScriptedBlock[]): RuleFunction {
  return (request) => (isTitle(request) ? { content } : undefined);
}

/**
 * Answers one prompt of the user: with the first step, and the results of a step's tools with the step after it.
 *
 * @param prompt a part of the user's text
 */
export function turnRule(prompt: string, ...steps: ScriptedBlock[][]): RuleFunction {
  return (request) => {
    if (isTitle(request)) return undefined;
    const [result] = newestToolResults(request);
    const answered = steps.findIndex((step) =>
      step.some((block) => block.type === 'tool_use' && block.id === result?.tool_use_id),
    );
    const isAsked = result === undefined && newestUserText(request).includes(prompt);
    const content = isAsked ? steps[0] : steps[answered + 1];
    return content && (isAsked || answered >= 0) ? { content } : undefined;
  };
}
