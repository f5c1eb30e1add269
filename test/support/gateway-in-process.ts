import type { Anthropic } from '@anthropic-ai/sdk';
import { Agents } from '../../src/agents/agents.ts';
import type { DefinedAgent } from '../../src/agents/define-agents.ts';
import { anthropicMessages } from '../../src/dialects/anthropic-messages/anthropic-messages.ts';
import { openAiChat } from '../../src/dialects/openai-chat/openai-chat.ts';
import { openAiResponses } from '../../src/dialects/openai-responses/openai-responses.ts';
import { Gateway, type GatewayLimits } from '../../src/gateway/gateway.ts';
import { createApp } from '../../src/http/app.ts';
import { listen } from '../../src/http/listen.ts';
import { KnownLimits } from '../../src/limits/known-limits.ts';
import { KnownModels } from '../../src/models/known-models.ts';
import type { ExpansionStore } from '../../src/spec/expansion-store.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { spareLog } from '../../src/telemetry/spare-log.ts';
import { turnLog } from '../../src/telemetry/turn-log.ts';
import type { Answer } from '../../test-engine/play.ts';
import { type EngineScript, ScriptedAnswers } from '../../test-engine/scripted-answers.ts';
import { TestEngine } from '../../test-engine/test-engine.ts';
import { sdkClient } from './clients.ts';

/** The gateway, its routes and its server over the test engine, in the test's own process. */

export interface InProcessOptions extends Partial<GatewayLimits> {
  keepAliveMs?: number;
  strict?: boolean;
  allowedOrigins?: readonly string[];
  agents?: readonly DefinedAgent[];
  /** Of what agents do; by default in memory. */
  store?: ExpansionStore;
  /** In place of an engine on which nothing goes wrong yet. */
  faults?: TestEngine['faults'];
  /** In place of a script. */
  answer?: Answer;
}

const DIALECTS = [anthropicMessages, openAiChat, openAiResponses] as const;

/** Room for everything, unless a test asks for less. */
export const ROOMY: GatewayLimits = {
  reuses: true,
  spares: 0,
  processes: 20,
  memoryBytes: Number.POSITIVE_INFINITY,
  spawnsAtATime: 20,
  queueLength: 20,
  queueDeadlineMs: 3_600_000,
  idleMs: 3_600_000,
  heldMs: 3_600_000,
};

/** What a test asks with, beside its messages. */
export interface AskOptions extends Partial<Omit<Anthropic.MessageCreateParamsNonStreaming, 'messages' | 'stream'>> {
  key?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

export class InProcessGateway {
  readonly url: string;
  readonly engine: TestEngine;
  readonly gateway: Gateway;
  /** The lines of the log. */
  readonly log: readonly string[];
  readonly #answers: ScriptedAnswers;
  readonly #close: () => Promise<void>;

  private constructor(
    parts: Pick<InProcessGateway, 'url' | 'engine' | 'gateway' | 'log'>,
    answers: ScriptedAnswers,
    close: () => Promise<void>,
  ) {
    this.url = parts.url;
    this.engine = parts.engine;
    this.gateway = parts.gateway;
    this.log = parts.log;
    this.#answers = answers;
    this.#close = close;
  }

  static async start(script: EngineScript = [], options: InProcessOptions = {}): Promise<InProcessGateway> {
    const { keepAliveMs = 3_600_000, strict = false, agents = [], faults = {}, allowedOrigins = [], ...rest } = options;
    const { store = new MemoryStore({ maxAgeMs: 3_600_000, maxBytes: 10_000_000 }), ...others } = rest;
    const answers = new ScriptedAnswers(script);
    const { answer = answers.answer, ...limits } = others;
    const known = new KnownLimits();
    const engine = new TestEngine({ answer, onLimits: (heard) => known.hear(heard) });
    Object.assign(engine.faults, faults);
    const lines: string[] = [];
    const log = createLog((line) => lines.push(line));
    const byName = new Map(agents.map(({ agent }) => [agent.name, agent]));
    const gateway = new Gateway(engine, { ...ROOMY, ...limits }, spareLog(log), {
      agents: byName,
      store,
      waitMs: 1_000,
    });
    const models = new KnownModels();
    models.offer((await new TestEngine({ answer: answers.answer }).introduction()).models);
    const app = createApp({
      gateway,
      dialects: DIALECTS,
      id: '0123456789abcdef',
      bindHost: '127.0.0.1',
      allowedHosts: [],
      allowedOrigins,
      keepAliveMs,
      strict,
      passesBeta: () => true,
      isBinaryThere: () => true,
      aliasOf: () => undefined,
      models,
      agents: new Agents(agents),
      identity: { version: 'test', mode: 'bare', credential: 'none', startedAt: '2026-01-01T00:00:00.000Z' },
      limits: known,
      observers: [turnLog(log)],
      log,
      logsShapes: false,
    });
    const listener = await listen(DIALECTS, { host: '127.0.0.1', port: 0 });
    listener.serve(app);
    return new InProcessGateway(
      { url: `http://127.0.0.1:${listener.port}`, engine, gateway, log: lines },
      answers,
      async () => {
        gateway.endAll();
        const closed = listener.close();
        await listener.finish(0);
        await closed;
        await engine.allGone();
      },
    );
  }

  /** Every call of the model, in order. */
  get calls(): ScriptedAnswers['calls'] {
    return this.#answers.calls;
  }

  use(script: EngineScript): void {
    this.#answers.use(script);
  }

  client(key?: string): Anthropic {
    return sdkClient(this.url, key);
  }

  /** One turn of the official SDK, not streamed, and its response. */
  ask(messages: string | Anthropic.MessageParam[], { key, headers, signal, ...rest }: AskOptions = {}) {
    return this.client(key)
      .messages.create({ ...toBody(messages), ...rest }, { ...(headers && { headers }), ...(signal && { signal }) })
      .withResponse();
  }

  /** The same with `stream: true`, as its first bytes come. */
  stream(messages: string | Anthropic.MessageParam[], init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.url}/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...toBody(messages), stream: true }),
      ...init,
    });
  }

  /** Ends everything; throws when a process is left. */
  async stop(): Promise<void> {
    await this.#close();
    if (this.engine.processes.length + this.engine.spares.length > 0) throw new Error('a process is left');
  }
}

export const TOOLS: Anthropic.Tool[] = [{ name: 'read', input_schema: { type: 'object' } }];

function toBody(messages: string | Anthropic.MessageParam[]) {
  return {
    model: 'claude-sonnet-5',
    max_tokens: 100,
    tools: TOOLS,
    messages: typeof messages === 'string' ? [{ role: 'user' as const, content: messages }] : messages,
  };
}

/** The results of all calls in an answer. */
export function resultsFor(content: Anthropic.ContentBlock[], text = 'r'): Anthropic.MessageParam {
  const calls = content.filter((block) => block.type === 'tool_use');
  return { role: 'user', content: calls.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: text })) };
}

/** The messages after an answer and a next user message. */
export function goOn(
  messages: Anthropic.MessageParam[],
  content: Anthropic.ContentBlock[],
  next: string | Anthropic.MessageParam = 'more',
): Anthropic.MessageParam[] {
  return [
    ...messages,
    { role: 'assistant', content },
    typeof next === 'string' ? { role: 'user', content: next } : next,
  ];
}
