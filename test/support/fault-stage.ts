import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { type ClientRequest, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { ModelRequest, Reply, ScriptedBlock } from '../../scripted-model/script.ts';
import { type RecordedRequest, type ScriptedModel, startScriptedModel } from '../../scripted-model/testing.ts';
import { asTheModelSees, type WireMessage } from './as-the-model-sees.ts';
import { foldMessage } from './fold-message.ts';
import {
  ownConfigurationIn,
  type StartOptions,
  spawnGateway,
  startGateway,
  type TestGateway,
  until,
} from './gateway.ts';
import { OwnCalls } from './own-calls.ts';
import { commandOf, environmentOf, killIfAlive, parentOf, processesWith } from './process-table.ts';
import type { StreamEvent } from './sse-frames.ts';
import { SseGrammar } from './sse-grammar.ts';

/** A gateway over a scripted model on which something is about to break, and clients that know what must become of it. */

/** What a client got for one request. */
export type Outcome =
  | { kind: 'answer'; message: AnsweredMessage; path: string; reason: string | undefined }
  | {
      kind: 'error';
      /** `status` before the first byte of the answer, `event` within it. */
      as: 'status' | 'event';
      status: number;
      type: string;
      /** Undefined for an error of the upstream within a stream, which has none. */
      code: string | undefined;
      text: string;
      /** The types of the events before the error. */
      before: string[];
    };

export interface AnsweredMessage {
  id: string;
  stop_reason: string;
  content: Array<{ type: string; [field: string]: unknown }>;
}

export interface SendOptions {
  stream?: boolean;
  key?: string;
  maxTokens?: number;
}

/** What a conversation of another program may have behind it. */
export const HISTORY: WireMessage[] = [
  { role: 'user', content: 'Read a.' },
  { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_of_another', name: 'read', input: { path: 'a' } }] },
  { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_of_another', content: 'text' }] },
  { role: 'assistant', content: [{ type: 'text', text: 'I have read it.' }] },
];

const TOOLS = [{ name: 'read', input_schema: { type: 'object' } }];

/** An answer of the model in words; long enough for several deltas. */
export function words(text: string): Reply {
  return { content: [{ type: 'text', text }], delta_length: 4 };
}

/** An answer of the model that calls the client's tool. */
export function call(...paths: string[]): Reply {
  return { content: paths.map((path): ScriptedBlock => ({ type: 'tool_use', name: 'read', input: { path } })) };
}

/** Beside the first one. On the busiest machines the kill has been late behind one broken answer in ten. */
const CALLS_PER_LATE_KILL = 20;

export class FaultStage {
  readonly model: ScriptedModel;
  gateway: TestGateway;
  readonly #ownCalls: OwnCalls;
  readonly #planned: Map<string, Reply[]>;
  readonly #turns: Turn[] = [];
  #conversations = 0;
  #clients = 0;
  readonly #flags: string[];
  /** Whether a process was killed from outside, in whatever it was at. */
  #hasKilled = false;

  private constructor(
    model: ScriptedModel,
    ownCalls: OwnCalls,
    gateway: TestGateway,
    planned: Map<string, Reply[]>,
    flags: string[],
  ) {
    this.#flags = flags;
    this.model = model;
    this.#ownCalls = ownCalls;
    this.gateway = gateway;
    this.#planned = planned;
  }

  static async open(flags: string[], options: StartOptions = {}): Promise<FaultStage> {
    const planned = new Map<string, Reply[]>();
    // An answer of raw bytes has no events that the model counts.
    const begunRaw = new WeakSet<ModelRequest>();
    const ownCalls = new OwnCalls(({ events, body }) => events > 0 || begunRaw.has(body));
    const model = await startScriptedModel({
      script: [
        (request) => {
          const replies = planned.get(markIn(request.messages.at(-1)) ?? '');
          const reply = (replies?.length ?? 0) > 1 ? replies?.shift() : replies?.[0];
          if (reply?.raw?.body.includes('event: message_start')) begunRaw.add(request);
          return reply;
        },
      ],
      onRequest: ownCalls.hear,
    });
    try {
      return new FaultStage(model, ownCalls, await startGateway(model.url, flags, options), planned, flags);
    } catch (error) {
      await model.close();
      throw error;
    }
  }

  /**
   * @param history that no process has
   * @param key of its client; without another one, a process of another conversation may take it
   */
  conversation(history: WireMessage[] = [], key = 'any'): Conversation {
    this.#conversations += 1;
    return new Conversation(this, `${this.#conversations}`, history, key);
  }

  /** The key of a client that no other conversation is of, so that none of another one's processes takes its turns. */
  ownKey(): string {
    this.#clients += 1;
    return `client ${this.#clients}`;
  }

  /** A turn whose calls of the model get these replies, one after the other; the last one repeats. */
  plan(messages: WireMessage[], mark: string, replies: Reply[], key = 'any'): Turn {
    this.#planned.set(mark, replies);
    const turn = new Turn(this, messages, mark, replies, key);
    this.#turns.push(turn);
    return turn;
  }

  /** The `claude` processes of this gateway that live now. */
  processes(): number[] {
    const { pid: own } = this.gateway.child;
    // Stopped before it is `claude`, it would stop the gateway, which waits for that.
    const isClaude = (pid: number) => pid !== own && commandOf(pid) !== commandOf(own);
    const found = processesWith(this.gateway.home).filter(isClaude);
    // A `claude` process may have a child of its own for a moment.
    return found.filter((pid) => !found.includes(parentOf(pid)));
  }

  /** The same, once those that were ending are gone. */
  async settledProcesses(): Promise<number[]> {
    let pids: number[] = [];
    await until('no process is ending', async () => {
      const { streaming, held, idle, spare } = (await this.gateway.health()).processes;
      pids = this.processes();
      return pids.length === streaming + held + idle + spare;
    });
    return pids;
  }

  /**
   * The run directories in the gateway's temporary directory, where that is seen from here. One of empty folders does not count:
   * whoever made or removed it was killed at that moment, and it goes when it has been without a sign of life for a minute.
   */
  runDirectories(home = this.gateway.home): string[] {
    return readdirSync(home).filter((name) => isRunDirectory(name) && isFilled(join(home, name)));
  }

  /** The folders that the SDK keeps for replays, in the same place. */
  transcripts(home = this.gateway.home): string[] {
    return readdirSync(home).filter((name) => name.startsWith('claude-resume-'));
  }

  /** What the gateway and its processes have left in their home, which is their temporary directory too. */
  leftInHome(): string[] {
    const { home } = this.gateway;
    const empty = readdirSync(home).filter((name) => isRunDirectory(name) && !isFilled(join(home, name)));
    return readdirSync(home).filter((name) => name !== '.local' && !(this.#hasKilled && empty.includes(name)));
  }

  /** What processes that are no more have left while the gateway lives. */
  leftOfProcesses(): string[] {
    const home = `/proc/${this.gateway.child.pid}/root${this.gateway.home}`;
    const living = this.processes().map(environmentOf).join();
    return [
      ...this.runDirectories(home).flatMap((name) => readdirSync(join(home, name, 'tmp'))),
      ...this.transcripts(home),
    ].filter((name) => !living.includes(name));
  }

  /**
   * What `claude` has left in its configuration. Locks count unless somebody else has killed it: it holds one while it
   * writes, and takes over one that is old. That of its plugin store does not count: a process that the gateway kills for its
   * answer may hold it (docs/decisions/0004).
   */
  leftInConfiguration(): string[] {
    const configuration = ownConfigurationIn(this.gateway.home);
    if (!existsSync(configuration)) return [];
    const names = readdirSync(configuration, { recursive: true, encoding: 'utf8' });
    const isLock = (name: string) => name.endsWith('.lock') && !name.startsWith('plugins/store/');
    return names.filter((name) => /^(sessions|projects)\/./.test(name) || (isLock(name) && !this.#hasKilled));
  }

  /** The calls of the model that a client's turns have led to; not those that Claude Code has made by itself. */
  get calls(): RecordedRequest[] {
    return this.model.requests.filter((request) => !this.#ownCalls.has(request));
  }

  async isQuiet(): Promise<boolean> {
    const { processes, waiting } = await this.gateway.health();
    return processes.streaming === 0 && waiting === 0 && this.model.requests.every(({ outcome }) => outcome !== 'open');
  }

  /** SIGKILL of one `claude` process, which may be quicker to end by itself. */
  killProcess(pid: number): void {
    this.#hasKilled = true;
    killIfAlive(pid);
  }

  /** SIGKILL of one `claude` process that waits, until the gateway knows of it. */
  async loseProcess(pid: number): Promise<void> {
    const before = await this.#waiting();
    this.killProcess(pid);
    await until('the gateway has noticed', async () => (await this.#waiting()) < before);
  }

  async #waiting(): Promise<number> {
    const { processes } = await this.gateway.health();
    return processes.idle + processes.held + processes.spare;
  }

  /** SIGKILL of the gateway, and of nothing else; its processes go with it. */
  async kill(): Promise<void> {
    await this.#killed(this.gateway.child);
  }

  /** SIGKILL of the gateway, and a new one in the same moment, while its processes may still be ending. */
  async replace(): Promise<void> {
    this.#hasKilled = true;
    const { home, child } = this.gateway;
    const before = processesWith(home);
    child.kill('SIGKILL');
    await this.restart();
    await until('the processes of the first are gone', () => processesWith(home).every((pid) => !before.includes(pid)));
  }

  /** A new gateway in place of the one that has ended, with the same home. */
  async restart(): Promise<void> {
    this.gateway = await startGateway(this.model.url, this.#flags, { home: this.gateway.home });
  }

  /** Starts a gateway with the same home and kills it after a while, whatever it has come to. */
  async startAndKill(afterMs: number): Promise<void> {
    const { home } = this.gateway;
    const child = spawnGateway(this.model.url, this.#flags, { home }).child;
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    await this.#killed(child);
  }

  async #killed(child: ChildProcess): Promise<void> {
    this.#hasKilled = true;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    await until('its processes are gone', () => processesWith(this.gateway.home).length === 0);
  }

  /** Stops the gateway: each call of the model was a client's, and nothing is left. */
  async close(): Promise<void> {
    try {
      await until('nothing is under way', () => this.isQuiet());
      const newest = this.calls.map(({ body }) => JSON.stringify(body.messages.at(-1)));
      expect(newest.filter((message) => markIn(message) === undefined)).toEqual([]);
      // A process that is never killed in time makes them behind each such answer.
      expect(this.#ownCalls.processes).toBeLessThanOrEqual(1 + Math.floor(this.calls.length / CALLS_PER_LATE_KILL));
      for (const turn of this.#turns) {
        const { least, most } = turn.dueCalls;
        expect(turn.calls.length, turn.mark).toBeGreaterThanOrEqual(least);
        expect(turn.calls.length, turn.mark).toBeLessThanOrEqual(most);
      }
      await until('the files of processes that are no more are gone', () => this.leftOfProcesses().length === 0);
      const { home } = this.gateway;
      const calls = this.model.requests.length;
      let left: string[] = [];
      const code = await this.gateway.stop(() => {
        left = [...this.leftInHome(), ...this.leftInConfiguration()];
      });
      expect(code).toBe(0);
      expect(left).toEqual([]);
      expect(processesWith(home)).toEqual([]);
      expect(this.model.requests).toHaveLength(calls);
    } finally {
      await this.gateway.stop();
      await this.model.close();
    }
  }
}

/** One client with one conversation; it keeps a turn only when it has got its whole answer. */
export class Conversation {
  messages: WireMessage[];
  readonly #stage: FaultStage;
  readonly #name: string;
  readonly #key: string;
  #turns = 0;

  constructor(stage: FaultStage, name: string, history: WireMessage[], key: string) {
    this.#stage = stage;
    this.#name = name;
    this.#key = key;
    this.messages = history;
  }

  /** Whether the model waits for tool results. */
  get isHeld(): boolean {
    return this.#calls.length > 0;
  }

  get #calls() {
    const last = this.messages.at(-1)?.content;
    return typeof last === 'object' ? last.filter(({ type }) => type === 'tool_use') : [];
  }

  /** The next turn: the results of the calls that wait, or else words. */
  next(...replies: Reply[]): Turn {
    this.#turns += 1;
    const mark = `<turn ${this.#name}.${this.#turns}>`;
    const newest: WireMessage = this.isHeld
      ? {
          role: 'user',
          content: this.#calls.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: mark })),
        }
      : { role: 'user', content: mark };
    return this.#stage.plan([...this.messages, newest], mark, replies, this.#key);
  }

  /** Goes on from a turn's answer. */
  keep(turn: Turn, outcome: Outcome): void {
    const { content } = turn.expectAnswer(outcome);
    this.messages = [...turn.messages, { role: 'assistant', content }];
  }

  /** Goes on from what a connection of its own has brought. */
  keepHeard(turn: Turn, { heard }: Connection): void {
    const grammar = new SseGrammar();
    grammar.write(Buffer.from(heard));
    grammar.end();
    this.keep(turn, answer(foldMessage(grammar.events), new Headers()));
  }

  /** A whole turn that must succeed. */
  async take(reply: Reply, options: SendOptions = {}): Promise<string> {
    const turn = this.next(reply);
    const outcome = await turn.send(options);
    this.keep(turn, outcome);
    return outcome.kind === 'answer' ? outcome.path : '';
  }
}

/** One turn of a client, which it may send more than once. */
export class Turn {
  readonly messages: WireMessage[];
  readonly mark: string;
  /** How often Claude Code asks for this turn's error of the API before it announces it. */
  asksForError = 1;
  /** How often it asks for the answer, if that comes without a stream. */
  asksForAnswer = 1;
  /** What became of it each time that it was sent, as far as its client has seen. */
  readonly #sends: Array<{ outcome?: Outcome }> = [];
  readonly #stage: FaultStage;
  readonly #last: Reply;
  readonly #key: string;

  constructor(stage: FaultStage, messages: WireMessage[], mark: string, replies: Reply[], key: string) {
    this.#stage = stage;
    this.messages = messages;
    this.mark = mark;
    this.#last = replies.at(-1) ?? {};
    this.#key = key;
  }

  /** The calls of the model that it led to. */
  get calls(): RecordedRequest[] {
    return this.#stage.calls.filter(({ body }) => markIn(body.messages.at(-1)) === this.mark);
  }

  /** How many calls of the model its clients have paid for, by what they got. */
  get dueCalls(): { least: number; most: number } {
    const due = { least: 0, most: 0 };
    for (const { outcome } of this.#sends) {
      const [least, most] = callsBefore(outcome, this.asksForError, this.asksForAnswer);
      due.least += least;
      due.most += most;
    }
    return due;
  }

  /** Each time with another limit, by which it is told from a call that Claude Code makes by itself. */
  #body({ stream = true, maxTokens = 500 + this.#sends.length }: SendOptions): string {
    const { messages } = this;
    return JSON.stringify({ model: 'claude-sonnet-5', max_tokens: maxTokens, tools: TOOLS, messages, stream });
  }

  async send(options: SendOptions = {}): Promise<Outcome> {
    const send: { outcome?: Outcome } = {};
    this.#sends.push(send);
    const response = await fetch(`${this.#stage.gateway.url}/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': options.key ?? this.#key },
      body: this.#body(options),
    });
    send.outcome = await read(response);
    return send.outcome;
  }

  /**
   * Sends it over a connection of its own, which can be broken.
   *
   * @param share how much of its body is sent, from 0 to 1
   */
  sendAlone(options: SendOptions = {}, share = 1): Connection {
    this.#sends.push({});
    const { hostname, port } = new URL(this.#stage.gateway.url);
    const body = this.#body(options);
    const socket = connect(Number(port), hostname);
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'x-api-key': options.key ?? this.#key,
    };
    const sending = request({
      hostname,
      port,
      path: '/v1/messages',
      method: 'POST',
      headers,
      createConnection: () => socket,
    });
    sending.write(body.slice(0, body.length * share));
    if (share === 1) sending.end();
    return new Connection(socket, sending);
  }

  /** Its bytes as they go over a connection. */
  toSend(): string {
    this.#sends.push({});
    const body = this.#body({});
    const headers = [
      'host: localhost',
      'content-type: application/json',
      `x-api-key: ${this.#key}`,
      `content-length: ${Buffer.byteLength(body)}`,
    ];
    return `POST /v1/messages HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n${body}`;
  }

  /** The answer is the whole one that was scripted last, and the call that made it had the whole history. */
  expectAnswer(outcome: Outcome): AnsweredMessage {
    if (outcome.kind === 'error') throw new Error(`${this.mark}: ${JSON.stringify(outcome)}`);
    const { message } = outcome;
    const scripted = (this.#last.content ?? []).map((block) => expect.objectContaining(block));
    expect(message.content, this.mark).toEqual(scripted);
    const request = this.#stage.model.requests[Number(/\d+$/.exec(message.id)?.[0]) - 1];
    const options = { withThinking: true };
    expect(asTheModelSees((request?.body.messages ?? []) as WireMessage[], options)).toEqual(
      asTheModelSees(this.messages, options),
    );
    return message;
  }
}

/** A client's own connection with one request on it. */
export class Connection {
  readonly socket: Socket;
  /** The bytes of the answer so far, without their framing. */
  heard = '';
  /** Whether the answer has come to its proper end. */
  hasEnded = false;

  constructor(socket: Socket, sending: ClientRequest) {
    this.socket = socket;
    // Whoever breaks a connection is not surprised by it.
    sending.on('error', () => undefined);
    sending.once('response', (response) => {
      response.setEncoding('utf8');
      response.on('error', () => undefined);
      response.on('data', (text: string) => {
        this.heard += text;
      });
      response.once('end', () => {
        this.hasEnded = true;
      });
    });
  }
}

/** How often the model was called for a turn that ended so; undefined where its client did not stay to see. */
function callsBefore(
  outcome: Outcome | undefined,
  asksForError: number,
  asksForAnswer: number,
): [least: number, most: number] {
  if (outcome === undefined) return [0, 1];
  if (outcome.kind === 'answer') return [asksForAnswer, asksForAnswer];
  switch (outcome.code) {
    // An error of the API within a stream has no code of ours.
    case undefined:
    case 'upstream_error':
    case 'upstream_cut':
      return [1, asksForError];
    case 'upstream_stalled':
    case 'process_lost':
      return [0, 1];
    default:
      return [0, 0];
  }
}

interface ApiErrorBody {
  type: string;
  message: string;
  details?: { error_code: string };
}

async function read(response: Response): Promise<Outcome> {
  const { headers, status } = response;
  if (!headers.get('content-type')?.startsWith('text/event-stream')) {
    const body = (await response.json()) as { error: ApiErrorBody };
    if (status === 200) return answer(body, headers);
    const { type, message, details } = body.error;
    const code = headers.get('isthmus-error') ?? undefined;
    if (code !== 'upstream_error') expect(details).toMatchObject({ error_code: code });
    return { kind: 'error', as: 'status', status, type, code, text: message, before: [] };
  }
  const grammar = new SseGrammar();
  for await (const chunk of response.body ?? []) grammar.write(chunk);
  const end = grammar.end();
  if (end.type === 'message_stop') return answer(foldMessage(grammar.events), headers);
  const last = grammar.events.at(-1) as StreamEvent & { error: ApiErrorBody };
  const { type, message, details } = last.error;
  const before = grammar.events.slice(0, -1).map((event) => event.type);
  return { kind: 'error', as: 'event', status, type, code: details?.error_code, text: message, before };
}

function answer(message: object, headers: Headers): Outcome {
  const path = headers.get('isthmus-path') ?? '';
  const reason = headers.get('isthmus-replay-reason') ?? undefined;
  return { kind: 'answer', message: message as AnsweredMessage, path, reason };
}

/** The turn that the newest message belongs to. */
function markIn(newest: unknown): string | undefined {
  return JSON.stringify(newest)
    ?.match(/<turn [\d.]+>/g)
    ?.at(-1);
}

function isRunDirectory(name: string): boolean {
  return name.startsWith('isthmus-run-');
}

function isFilled(directory: string): boolean {
  try {
    return readdirSync(directory, { recursive: true }).some((name) => name !== 'work' && name !== 'tmp');
  } catch {
    // It was removed by now.
    return false;
  }
}
