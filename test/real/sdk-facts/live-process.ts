import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import {
  type McpServerConfig,
  type Options,
  prewarm,
  type Query,
  query,
  type SDKUserMessage,
  type SessionStoreEntry,
} from '@anthropic-ai/claude-agent-sdk';
import { CallToolRequestSchema, type CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import type { ModelRequest } from '../../../scripted-model/script.ts';
import { type ScriptedModel, startScriptedModel } from '../../../scripted-model/testing.ts';
import { EventQueue } from '../../../src/async/event-queue.ts';
import { within } from '../../../src/async/within.ts';
import { Announcements } from '../../../src/engine/announcements/announcements.ts';
import { probeBy } from '../../../src/engine/announcements/probe.ts';
import { BARE } from '../../../src/engine/announcements/silence.ts';
import { buildEnvironment, type Mode } from '../../../src/engine/environment/environment.ts';
import { findExecutable } from '../../../src/engine/environment/executable.ts';
import { createRunDirectory, type RunDirectory } from '../../../src/engine/files/run-directory.ts';
import { clientToolsServer } from '../../../src/engine/held-calls/client-tools-server.ts';
import { toRequestVariables } from '../../../src/engine/parameters/request-variables.ts';
import { ToolNames } from '../../../src/engine/parameters/tool-names.ts';
import { type NewProcess, ProcessMaker } from '../../../src/engine/process/process-maker.ts';
import { Spawner } from '../../../src/engine/process/spawner.ts';
import { type Transcript, toModelContent, toTranscript } from '../../../src/engine/replay/transcript.ts';
import type { Message, MessagesRequest } from '../../../src/spec/messages.ts';
import { assistant, user } from '../../support/engine.ts';
import { surroundings, until } from '../../support/gateway.ts';
import { wholeBody } from '../../support/whole-body.ts';

/** Of the bare SDK's messages, also those that its types leave out. */
export type Heard = { type: string } & Record<string, unknown>;

/** The answer to `rewind_conversation`. */
export interface Rewound {
  rewound: boolean;
  reason?: string;
  /** The uuid of the assistant line that is the last one then; null if there is none. */
  precedingAssistantUuid?: string | null;
}

/** How long the SDK may be silent about what a test waits for, in milliseconds. */
const SILENT_MS = 60_000;

/** The names of the servers with the client's tools, which a process gets by turns. */
export const SERVERS = ['first', 'second'] as const;

/** Makes processes of the bare SDK, with the product's options, over a scripted model of its own. */
export class LiveProcesses {
  readonly model: ScriptedModel;
  readonly #maker: ProcessMaker;
  readonly #directory: RunDirectory;
  readonly #announcements: Announcements | undefined;
  readonly #removeHome: () => void;

  private constructor(model: ScriptedModel, mode: Mode) {
    const token = { ANTHROPIC_API_KEY: '', CLAUDE_CODE_OAUTH_TOKEN: 'dummy' };
    const { env, home, remove } = surroundings(model.url, mode === 'full' ? token : {});
    const environment = buildEnvironment({ operator: env, id: '0123456789abcdef', isOwnAddress: () => false });
    environment.variables.CLAUDE_CONFIG_DIR = join(home, 'isthmus');
    this.model = model;
    this.#removeHome = remove;
    this.#directory = createRunDirectory();
    this.#maker = new ProcessMaker({
      executable: findExecutable(undefined),
      environment,
      directory: this.#directory,
      spawner: new Spawner(process.env.PATH),
    });
    if (mode === 'full')
      this.#announcements = new Announcements(
        probeBy(this.#maker),
        () => undefined,
        () => undefined,
      );
  }

  /** @param models that the processes are silent to */
  static async open(mode: Mode, models: readonly string[]): Promise<LiveProcesses> {
    const processes = new LiveProcesses(await startScriptedModel(), mode);
    for (const model of models) await processes.#announcements?.prepare(model);
    return processes;
  }

  /** A process that replays a request and goes on from it at once. */
  replay(given: MessagesRequest): LiveProcess {
    return this.#resume(given, toTranscriptWith(given), { CLAUDE_CODE_RESUME_INTERRUPTED_TURN: '1' });
  }

  /** A process that has resumed an answered message of ours and waits, with what keeps it silent before that message. */
  async waiting(given: MessagesRequest): Promise<LiveProcess> {
    const answered = { ...given, messages: [user('.'), assistant('.')] };
    // Without the empty message at its end the SDK finds nothing to go on from.
    const live = this.#resume({ ...answered, tools: [] }, (silenced, cwd) => {
      const transcript = toTranscriptWith(answered)(silenced, cwd);
      return { ...transcript, entries: transcript.entries.slice(0, -1) };
    });
    await live.query.initializationResult();
    return live;
  }

  /** A claimed spare. */
  async claimed({ model, system }: MessagesRequest): Promise<LiveProcess> {
    const made = this.#maker.create();
    const entries: SessionStoreEntry[] = [];
    const spare = await prewarm({
      options: this.#options(made, {
        sessionStore: {
          append: async (key, added) => {
            made.child.transcript = key;
            entries.push(...added);
          },
          load: async () => null,
        },
        sessionStoreFlush: 'eager',
      }),
    });
    spare.claimed.catch(() => undefined);
    const input = new EventQueue<SDKUserMessage>();
    const sdkQuery = spare.claim({
      prompt: input,
      options: { cwd: this.#directory.work, model, appendSystemPrompt: system },
    });
    const live = new LiveProcess(this.model, sdkQuery, input, made, entries, []);
    await spare.claimed;
    return live;
  }

  /** The body that a process of its own sends for this request. */
  async fresh(given: MessagesRequest): Promise<ModelRequest> {
    const at = this.model.requests.length;
    const live = this.replay(given);
    await until('the new process calls the model', () => this.model.requests.length > at);
    live.end();
    return bodyAt(this.model, at);
  }

  async close(): Promise<void> {
    this.#maker.endAll();
    await this.#maker.allGone();
    this.#directory.remove();
    this.#removeHome();
    await this.model.close();
  }

  #resume(
    given: MessagesRequest,
    transcriptOf: ReturnType<typeof toTranscriptWith>,
    more: Record<string, string> = {},
  ): LiveProcess {
    const silence = this.#announcements?.silence(given.model) ?? BARE;
    const variables = { ...toRequestVariables(given, new ToolNames([])), ...silence.variables, ...more };
    const made = this.#maker.create({ requested: variables, system: given.system });
    const { sessionId, entries } = transcriptOf(silence.announced, this.#directory.work);
    const added: SessionStoreEntry[] = [];
    const options = this.#options(made, {
      resume: sessionId,
      forkSession: true,
      sessionStore: { append: async (_key, more) => void added.push(...more), load: async () => entries },
      sessionStoreFlush: 'eager',
    });
    const input = new EventQueue<SDKUserMessage>();
    const tools = new ToolServer(given);
    const sdkQuery = query({
      prompt: input,
      options: {
        ...options,
        env: { ...options.env, ...silence.variables, ...more },
        model: given.model,
        ...(given.tools.length > 0 ? { mcpServers: tools.servers(SERVERS[0]) } : {}),
      },
    });
    const users = entries.flatMap(({ type, uuid }) => (type === 'user' ? [String(uuid)] : []));
    return new LiveProcess(this.model, sdkQuery, input, made, added, users, tools);
  }

  #options(made: NewProcess, session: Partial<Options>): Options {
    const profile = this.#maker.profile(made);
    const store = { append: async () => undefined, load: async () => null };
    const isResumed = session.resume !== undefined;
    const options = this.#maker.options(made, {
      ...profile,
      // Else the CLI repeats a refused call at once, and says nothing of the wait.
      environment: { ...profile.environment, CLAUDE_CODE_RETRY_WATCHDOG: '1' },
      session: { store, ...(isResumed ? { resumes: session.resume as string } : {}) },
    });
    return { ...options, ...session, allowedTools: SERVERS.map((name) => `mcp__${name}`) };
  }
}

/** A process whose conversation a test takes away and gives it another. */
export class LiveProcess {
  readonly query: Query;
  /** What the SDK has said. */
  readonly heard: Heard[] = [];
  /** What it has added to its transcript. */
  readonly entries: SessionStoreEntry[];
  /** The uuids of the user messages that it was given and holds; those of its transcript come first. */
  readonly users: string[];
  readonly #model: ScriptedModel;
  readonly #input: EventQueue<SDKUserMessage>;
  readonly #made: NewProcess;
  #tools: ToolServer;
  #toolChanges = 0;

  constructor(
    model: ScriptedModel,
    sdkQuery: Query,
    input: EventQueue<SDKUserMessage>,
    made: NewProcess,
    entries: SessionStoreEntry[],
    users: string[],
    tools = new ToolServer({ tools: [] }),
  ) {
    this.query = sdkQuery;
    this.entries = entries;
    this.users = users;
    this.#model = model;
    this.#input = input;
    this.#made = made;
    this.#tools = tools;
    void this.#listen();
  }

  /** Resolves with the first message that this holds for, also one that was heard before. */
  async until(what: string, holds: (message: Heard) => boolean): Promise<Heard> {
    await until(what, () => this.heard.some(holds), SILENT_MS);
    return this.heard.find(holds) as Heard;
  }

  /** Resolves when the CLI has done with a message of ours. */
  untilDone(uuid: string): Promise<Heard> {
    const isLast = ({ state }: Heard) => state === 'completed' || state === 'cancelled';
    return this.until('a message is done', (message) => isOf(message, uuid) && isLast(message));
  }

  /** Its fate so far, without what stands between. */
  fate(uuid: string): unknown[] {
    return this.heard.flatMap((message) => {
      if (isOf(message, uuid)) return [message.state];
      return message.type === 'result' ? ['result'] : [];
    });
  }

  /** Says a message that begins a turn. */
  say(message: Message, more: Partial<SDKUserMessage> = {}): string {
    const uuid = randomUUID();
    const content = toModelContent(message, new ToolNames([])) as unknown as SDKUserMessage['message']['content'];
    this.#input.push({ type: 'user', uuid, message: { role: 'user', content }, parent_tool_use_id: null, ...more });
    this.users.push(uuid);
    return uuid;
  }

  /** Says a message, and resolves with the body of the call that it makes when the turn is over. */
  async ask(message: Message): Promise<ModelRequest> {
    const at = this.#model.requests.length;
    await this.untilDone(this.say(message));
    return bodyAt(this.#model, at);
  }

  /** Loads the history of a request; resolves with the uuids of its messages when all are taken. */
  async load({ messages, model }: MessagesRequest): Promise<string[]> {
    const uuids: string[] = [];
    for (const message of messages) {
      const uuid =
        message.role === 'user' ? this.say(message, { shouldQuery: false }) : this.#loadAssistant(message, model);
      await this.untilDone(uuid);
      uuids.push(uuid);
    }
    return uuids;
  }

  /** Sets what differs between conversations, all in one go. */
  async become(given: MessagesRequest): Promise<void> {
    this.#tools = new ToolServer(given);
    this.#toolChanges += 1;
    const name = SERVERS[this.#toolChanges % SERVERS.length] as string;
    const settings = { env: toRequestVariables(given, new ToolNames([])) };
    await Promise.all([
      this.query.applyFlagSettings(settings),
      this.query.setMcpServers(given.tools.length > 0 ? this.#tools.servers(name) : {}),
    ]);
  }

  /** Gives it other tools from a server with a name of the caller's choice. */
  async giveTools(given: MessagesRequest, name: string): Promise<void> {
    this.#tools = new ToolServer(given);
    await this.query.setMcpServers(this.#tools.servers(name));
  }

  /** Gives the result of a call, as soon as it is held. */
  async complete(id: string, text: string): Promise<void> {
    await until('the call is held', () => this.#tools.holds(id));
    this.#tools.complete(id, text);
  }

  async rewind(target: string, lastSeen?: string, flags: object = {}): Promise<Rewound> {
    const { request: ask } = this.query as unknown as { request(control: object): Promise<{ response: Rewound }> };
    const answer = await within(
      ask.call(this.query, {
        subtype: 'rewind_conversation',
        target_message_uuid: target,
        ...(lastSeen === undefined ? {} : { last_seen_user_message_uuid: lastSeen }),
        ...flags,
      }),
      SILENT_MS,
    );
    return answer.response;
  }

  /** Rewinds to before one of its user messages, the first if none is named. */
  async rewindTo(at = 0, flags: object = {}): Promise<Rewound> {
    const target = this.users[at] as string;
    const last = this.users.at(-1);
    const answer = await this.rewind(target, last === target ? undefined : last, flags);
    if (answer.rewound) this.users.length = at;
    return answer;
  }

  end(): void {
    this.#made.child.end();
    this.#input.close();
    this.query.close();
  }

  #loadAssistant(message: Message, model: string): string {
    const uuid = randomUUID();
    const line = {
      type: 'assistant',
      uuid,
      parent_tool_use_id: null,
      message: {
        id: `msg_${randomUUID()}`,
        type: 'message',
        role: 'assistant',
        model,
        content: toModelContent(message, new ToolNames([])),
        stop_reason: message.content.some(({ type }) => type === 'tool_use') ? 'tool_use' : 'end_turn',
        stop_sequence: null,
        usage: { input_tokens: 0, output_tokens: 0 },
      },
    };
    this.#input.push(line as unknown as SDKUserMessage);
    return uuid;
  }

  async #listen(): Promise<void> {
    try {
      for (;;) {
        const { value, done } = await this.query.next();
        if (done) return;
        this.heard.push(value as unknown as Heard);
      }
    } catch {
      // The process was ended.
    }
  }
}

/** The client's tools, each call of which waits for its result. */
class ToolServer {
  readonly #results = new Map<string, (result: CallToolResult) => void>();
  readonly #server: ReturnType<typeof clientToolsServer>;

  constructor({ tools }: Pick<MessagesRequest, 'tools'>) {
    this.#server = clientToolsServer(tools.map(({ name }) => ({ name, inputSchema: { type: 'object' } })));
    this.#server.setRequestHandler(
      CallToolRequestSchema,
      ({ params }) =>
        new Promise((resolve) => this.#results.set(String(params._meta?.['claudecode/toolUseId']), resolve)),
    );
  }

  servers(name: string): Record<string, McpServerConfig> {
    return { [name]: { type: 'sdk', name, instance: this.#server } as unknown as McpServerConfig };
  }

  complete(id: string, text: string): void {
    this.#results.get(id)?.({ content: [{ type: 'text', text }] });
  }

  holds(id: string): boolean {
    return this.#results.has(id);
  }
}

const toTranscriptWith =
  ({ messages, model }: MessagesRequest) =>
  (silenced: Parameters<typeof toTranscript>[4], cwd: string): Transcript =>
    toTranscript(messages, model, cwd, new ToolNames([]), silenced);

const isOf = ({ type, command_uuid }: Heard, uuid: string) => type === 'command_lifecycle' && command_uuid === uuid;

function bodyAt(model: ScriptedModel, at: number): ModelRequest {
  const found = model.requests[at];
  if (!found) throw new Error(`the model has had ${model.requests.length} requests`);
  return found.body;
}

/** A body as two are compared: in the order of its keys, without what names the session. */
export function comparable(body: ModelRequest): string {
  return JSON.stringify(wholeBody(body), null, 1);
}
