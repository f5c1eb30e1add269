import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Options,
  type Query,
  query,
  type SDKUserMessage,
  type SessionStoreEntry,
  type Settings,
} from '@anthropic-ai/claude-agent-sdk';
import type { ContentBlock, ModelRequest, Reply, RuleFunction } from '../../../scripted-model/script.ts';
import { type ScriptedModel, startScriptedModel } from '../../../scripted-model/testing.ts';
import { EventQueue } from '../../../src/async/event-queue.ts';
import { agentEnvironment } from '../../../src/engine/agents/agent-environment.ts';
import { agentProfile } from '../../../src/engine/agents/agent-profile.ts';
import { agentSettings } from '../../../src/engine/agents/agent-settings.ts';
import { SUBAGENT_TOOL } from '../../../src/engine/agents/subagents.ts';
import type { Announcement } from '../../../src/engine/announcements/announcement.ts';
import { buildEnvironment, inFolder } from '../../../src/engine/environment/environment.ts';
import { findExecutable } from '../../../src/engine/environment/executable.ts';
import { createRunDirectory, type RunDirectory } from '../../../src/engine/files/run-directory.ts';
import { ToolNames } from '../../../src/engine/parameters/tool-names.ts';
import { type NewProcess, ProcessMaker } from '../../../src/engine/process/process-maker.ts';
import type { ProcessProfile } from '../../../src/engine/process/profile.ts';
import { Spawner } from '../../../src/engine/process/spawner.ts';
import { toTranscript } from '../../../src/engine/replay/transcript.ts';
import type { Agent, Subagent } from '../../../src/spec/agent.ts';
import type { Message } from '../../../src/spec/messages.ts';
import { plainAgent } from '../../support/agents.ts';
import { user } from '../../support/engine.ts';
import { surroundings, until } from '../../support/gateway.ts';

/** Of the bare SDK's messages, also those that its types leave out. */
export type Heard = { type: string } & Record<string, unknown>;

/** A call of a tool that the scripted model makes. */
export interface Call {
  name: string;
  input: Record<string, unknown>;
}

/** What the model was told of a call. */
export interface CallResult {
  text: string;
  isError: boolean;
}

export type CallsOf = readonly Call[] | ((made: NewProcess) => Call[]);

/** How long a process may be silent about what a test waits for, in milliseconds. */
const SILENT_MS = 120_000;

const MODEL = 'claude-sonnet-5';

/** A subagent with all tools of its parent. */
const HELPER: Readonly<Record<string, Subagent>> = { helper: { description: 'helps', prompt: 'You help.' } };

/** Stands in every task for a subagent. */
export const TASK = 'This is the task of a subagent.';

export interface RunOptions {
  messages?: Message[];
  subagents?: Readonly<Record<string, Subagent>>;
  /** What is not announced; then the newest message is the end of a transcript that the process goes on from by itself. */
  silenced?: readonly Announcement[];
  /** In place of what the product uses, to show what that is for. */
  profile?: Partial<ProcessProfile>;
  settings?: Settings;
  hooks?: NonNullable<Options['hooks']>;
  /** Who makes the calls that a test asks for. */
  by?: 'subagent';
  variables?: Record<string, string>;
}

/** Runs agents over the bare SDK, with the product's options, in workspaces of their own. */
export class AgentRuns {
  readonly model: ScriptedModel;
  readonly maker: ProcessMaker;
  readonly home: string;
  /** For workspaces, and for what is none of theirs. */
  readonly place: string;
  readonly #directory: RunDirectory;
  readonly #remove: () => void;

  private constructor(model: ScriptedModel, variables: (home: string) => Record<string, string>) {
    const { env, home, remove } = surroundings(model.url);
    this.model = model;
    this.home = home;
    this.place = realpathSync(mkdtempSync(join(tmpdir(), 'isthmus-agent-')));
    this.#remove = remove;
    this.#directory = createRunDirectory();
    const operator = { ...env, ...variables(home) };
    const environment = buildEnvironment({ operator, id: '0123456789abcdef', isOwnAddress: () => false });
    if (!environment.isLogin) environment.variables.CLAUDE_CONFIG_DIR = join(home, 'isthmus');
    this.maker = new ProcessMaker({
      executable: findExecutable(undefined),
      environment,
      directory: this.#directory,
      spawner: new Spawner(process.env.PATH),
    });
  }

  /** @param variables more of the operator's */
  static async open(variables: (home: string) => Record<string, string> = () => ({})): Promise<AgentRuns> {
    return new AgentRuns(await startScriptedModel(), variables);
  }

  /** An agent in a new workspace. */
  agent(given: Partial<Agent> = {}): Agent {
    const workspace = join(mkdtempSync(join(this.place, 'of-')), 'workspace');
    mkdirSync(workspace);
    return plainAgent({ workspace, system: 'You are under test.', ...given });
  }

  /** A process of an agent that answers the newest message; as in the product, it is said to the process. */
  run(agent: Agent, options: RunOptions = {}): AgentRun {
    const { messages = [user('Go.')], by, silenced = [] } = options;
    const subagents = options.subagents ?? (by === 'subagent' ? HELPER : agent.subagents);
    const environment = agentEnvironment(this.maker.environment.variables, agent);
    const isSaid = silenced.length === 0;
    const own = { ...options.variables, ...(isSaid ? {} : { CLAUDE_CODE_RESUME_INTERRUPTED_TURN: '1' }) };
    const made = this.maker.create({
      system: agent.system,
      environment,
      requested: own,
      settings: (scratch) => options.settings ?? agentSettings(agent, environment, scratch),
    });
    const profile = {
      ...agentProfile(agent, { ...inFolder(environment, made.files.scratch), ...own }, subagents, this.#directory.work),
      ...options.profile,
    };
    const transcript = toTranscript(messages, MODEL, profile.workingDirectory, new ToolNames([]), silenced);
    const entries: SessionStoreEntry[] = [];
    const input = new EventQueue<SDKUserMessage>();
    const given = this.maker.options(made, {
      ...profile,
      session: {
        ...(isSaid && messages.length === 1 ? {} : { resumes: transcript.sessionId }),
        store: {
          append: async (key, added) => {
            if (isSaid && messages.length === 1) made.child.transcript = key;
            entries.push(...added);
          },
          // Without the newest message, and the empty one behind it.
          load: async () => (isSaid ? transcript.entries.slice(0, -2) : transcript.entries),
        },
      },
    });
    const run = new AgentRun(
      this.model,
      query({ prompt: input, options: { ...given, model: MODEL, ...(options.hooks && { hooks: options.hooks }) } }),
      input,
      made,
      entries,
    );
    if (isSaid) run.say(messages.at(-1) as Message);
    return run;
  }

  /**
   * Lets an agent make these calls in one answer, and answer.
   *
   * @param calls may name the process's files
   * @returns what the model was told of each
   */
  async results(agent: Agent, calls: CallsOf, options: RunOptions = {}): Promise<CallResult[]> {
    let made: Call[] = [];
    this.model.restart([
      (request) => (options.by === 'subagent' && !isOfSubagent(request) ? HANDS_ON : callsThenText)(made)(request),
    ]);
    const run = this.run(agent, options);
    made = typeof calls === 'function' ? calls(run.made) : [...calls];
    try {
      await run.untilDone();
      return run.resultsOf(made);
    } finally {
      run.end();
    }
  }

  async close(): Promise<void> {
    this.maker.endAll();
    await this.maker.allGone();
    this.#directory.remove();
    this.#remove();
    rmSync(this.place, { recursive: true, force: true });
    await this.model.close();
  }
}

/** Answers a request without results of tools with these calls, and one with them by a text. */
export function callsThenText(calls: readonly Call[], id?: string): RuleFunction {
  const answer: Reply = { content: [{ type: 'text', text: 'Done.' }] };
  return ({ messages }) => (isResult(messages.at(-1)?.content) ? answer : callsOf(calls, id));
}

const HANDS_ON = () =>
  callsThenText(
    [{ name: SUBAGENT_TOOL, input: { description: 'help', prompt: TASK, subagent_type: 'helper' } }],
    'agent',
  );

/** Whether a subagent asks the model. */
export function isOfSubagent({ messages }: Pick<ModelRequest, 'messages'>): boolean {
  return JSON.stringify(messages[0]).includes(TASK);
}

export function callsOf(calls: readonly Call[], id = 'toolu'): Reply {
  return { content: calls.map((call, at) => ({ type: 'tool_use', id: `${id}_${at}`, ...call })) };
}

function isResult(content: unknown): boolean {
  return Array.isArray(content) && content.some(({ type }) => type === 'tool_result');
}

/** One process of an agent, and what came of it. */
export class AgentRun {
  readonly query: Query;
  readonly heard: Heard[] = [];
  /** What it has added to its transcript. */
  readonly entries: SessionStoreEntry[];
  readonly made: NewProcess;
  /** What the SDK has thrown. */
  thrown: Error | undefined;
  readonly #model: ScriptedModel;
  readonly #input: EventQueue<SDKUserMessage>;

  constructor(
    model: ScriptedModel,
    sdkQuery: Query,
    input: EventQueue<SDKUserMessage>,
    made: NewProcess,
    entries: SessionStoreEntry[],
  ) {
    this.#model = model;
    this.query = sdkQuery;
    this.#input = input;
    this.made = made;
    this.entries = entries;
    void this.#listen();
  }

  /** Says a message that begins another turn. */
  say(message: Message): void {
    const content = message.content as unknown as SDKUserMessage['message']['content'];
    this.#input.push({ type: 'user', message: { role: 'user', content }, parent_tool_use_id: null });
  }

  async until(what: string, holds: (message: Heard) => boolean): Promise<Heard> {
    await until(what, () => this.heard.some(holds), SILENT_MS);
    return this.heard.find(holds) as Heard;
  }

  /** The result of its turn. */
  untilDone(): Promise<Heard> {
    return this.until('the turn is done', ({ type }) => type === 'result');
  }

  /** What the model was told of each of these calls of its first answer. */
  resultsOf(calls: readonly Call[]): CallResult[] {
    const told = this.#model.requests.flatMap(({ body }) => resultsIn(body));
    return calls.map((call, at) => {
      const block = told.find(({ tool_use_id }) => tool_use_id === `toolu_${at}`);
      if (!block) throw new Error(`nothing was told of ${JSON.stringify(call)}: ${JSON.stringify(this.heard.at(-1))}`);
      return { text: textOf(block.content), isError: block.is_error === true };
    });
  }

  end(): void {
    this.made.child.end();
    this.#input.close();
    this.query.close();
  }

  async #listen(): Promise<void> {
    try {
      for await (const message of this.query) this.heard.push(message as unknown as Heard);
    } catch (error) {
      this.thrown = error as Error;
    }
  }
}

/** The results of tools in a request to the model. */
export function resultsIn({ messages }: Pick<ModelRequest, 'messages'>): ContentBlock[] {
  return messages.flatMap(({ content }) =>
    Array.isArray(content) ? content.filter(({ type }) => type === 'tool_result') : [],
  );
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  return (content as Array<{ text?: string }>).map(({ text }) => text ?? '').join('\n');
}
