import { until } from '../support/gateway.ts';
import type { OpenCodeProject } from './opencode.ts';
import type { RunningProgram } from './project.ts';

/** How long OpenCode may take until it listens, in milliseconds. */
const LONGEST_START_MS = 60_000;

/** A part of a message of the user, as OpenCode's HTTP API takes it. */
export type PromptPart =
  | { type: 'text'; text: string }
  | { type: 'file'; mime: string; filename: string; url: string }
  | { type: 'agent'; name: string };

/** What may come with a message of the user. */
export interface PromptOptions {
  agent?: string;
  model?: { providerID: string; modelID: string };
  format?: { type: 'json_schema'; schema: object };
}

/** A message of a session, as OpenCode keeps it. */
export interface StoredMessage {
  info: { id: string; role: string; sessionID: string; [field: string]: unknown };
  parts: Array<{ type: string; text?: string; [field: string]: unknown }>;
}

/** What a server tells its interfaces. */
export interface Listener {
  /** All events so far. */
  heard: () => string;
  stop: () => void;
}

/** The last text of a message. */
export function lastText({ parts }: StoredMessage): string | undefined {
  return parts.findLast(({ type }) => type === 'text')?.text;
}

/** `opencode serve` in a project: what OpenCode's own interfaces talk to. */
export class OpenCodeServer {
  readonly #url: string;
  readonly #program: RunningProgram;

  private constructor(url: string, program: RunningProgram) {
    this.#url = url;
    this.#program = program;
  }

  /** Starts it on a free port and waits until it listens. */
  static async start(project: OpenCodeProject): Promise<OpenCodeServer> {
    const program = project.start('serve', '--hostname', '127.0.0.1', '--port', '0');
    const address = () => /listening on (\S+)/.exec(program.output.stdout)?.[1];
    await Promise.race([
      until('OpenCode listens', () => address() !== undefined, LONGEST_START_MS),
      program.ended.then(({ stderr }) => Promise.reject(new Error(`opencode serve has ended: ${stderr}`))),
    ]);
    return new OpenCodeServer(String(address()), program);
  }

  /** A new session. With a title, OpenCode does not ask the model for one. */
  async createSession(title?: string): Promise<OpenCodeSession> {
    const { id } = await this.post<{ id: string }>('/session', { title });
    return new OpenCodeSession(this, id);
  }

  /** Calls its HTTP API. */
  async post<Answer>(path: string, body: object = {}): Promise<Answer> {
    return this.#call('POST', path, body);
  }

  async get<Answer>(path: string): Promise<Answer> {
    return this.#call('GET', path);
  }

  /** Listens to what it tells its interfaces from now on. */
  async listen(): Promise<Listener> {
    const end = new AbortController();
    const { body } = await fetch(`${this.#url}/event`, { signal: end.signal });
    let heard = '';
    const hear = async () => {
      for await (const text of body?.pipeThrough(new TextDecoderStream()) ?? []) heard += text;
    };
    // It ends by being stopped.
    hear().catch(() => undefined);
    return { heard: () => heard, stop: () => end.abort() };
  }

  /** Ends it. */
  async stop(): Promise<void> {
    this.#program.stop();
    await this.#program.ended;
  }

  async #call<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`OpenCode answers ${method} ${path} with ${response.status}: ${text}`);
    return JSON.parse(text) as Answer;
  }
}

/** One conversation of a user with OpenCode. */
export class OpenCodeSession {
  readonly id: string;
  readonly #server: OpenCodeServer;

  constructor(server: OpenCodeServer, id: string) {
    this.#server = server;
    this.id = id;
  }

  /** Sends a message of the user; resolves with the last message of the assistant when the agent has come to its end. */
  prompt(parts: string | PromptPart[], options: PromptOptions = {}): Promise<StoredMessage> {
    const list = typeof parts === 'string' ? [{ type: 'text', text: parts }] : parts;
    return this.#server.post(`/session/${this.id}/message`, { parts: list, ...options });
  }

  /** Runs a command of the user in the shell. */
  shell(command: string): Promise<unknown> {
    return this.#server.post(`/session/${this.id}/shell`, { agent: 'build', command });
  }

  /** Undoes a message and what came after it. */
  revert(messageID: string): Promise<unknown> {
    return this.#server.post(`/session/${this.id}/revert`, { messageID });
  }

  /** Brings back what was undone. */
  unrevert(): Promise<unknown> {
    return this.#server.post(`/session/${this.id}/unrevert`);
  }

  /** A new session with all that came before a message of this one. */
  async fork(messageID?: string): Promise<OpenCodeSession> {
    const { id } = await this.#server.post<{ id: string }>(`/session/${this.id}/fork`, messageID ? { messageID } : {});
    return new OpenCodeSession(this.#server, id);
  }

  /** Has the conversation put into a summary, which takes its place. */
  summarize(): Promise<unknown> {
    const model = { providerID: 'anthropic', modelID: 'claude-sonnet-4-5' };
    return this.#server.post(`/session/${this.id}/summarize`, model);
  }

  /** Stops what the agent is at. */
  abort(): Promise<unknown> {
    return this.#server.post(`/session/${this.id}/abort`);
  }

  /** All messages so far. */
  messages(): Promise<StoredMessage[]> {
    return this.#server.get(`/session/${this.id}/message`);
  }
}
