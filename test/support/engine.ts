import { dirname, join } from 'node:path';
import { ClaudeEngine } from '../../src/engine/claude-engine.ts';
import { buildEnvironment } from '../../src/engine/environment/environment.ts';
import { findExecutable } from '../../src/engine/environment/executable.ts';
import { createRunDirectory } from '../../src/engine/files/run-directory.ts';
import { findTranscripts } from '../../src/engine/files/sdk-transcripts.ts';
import { Spawner } from '../../src/engine/process/spawner.ts';
import type { Agent } from '../../src/spec/agent.ts';
import type { BegunTurn, Engine } from '../../src/spec/engine.ts';
import type { ClientTool, Message, MessagesRequest } from '../../src/spec/messages.ts';
import type { HeardModel } from '../../src/spec/model-listing.ts';
import type { PlanLimits } from '../../src/spec/plan-limits.ts';
import type { TurnEvent } from '../../src/spec/turn-events.ts';
import { surroundings } from './gateway.ts';

export interface EngineFixture {
  engine: Engine;
  /** What the engine wrote down: events with their fields. */
  learned: Array<[event: string, fields: Record<string, string>]>;
  /** What it has told of the plan's limits. */
  told: PlanLimits[];
  /** The models that have answered, as often as they did. */
  models: HeardModel[];
  /** The folders that the SDK keeps for replays. */
  transcripts(): string[];
  close(): Promise<void>;
}

/** The engine over the real SDK and binary, without a gateway around it. */
export function startEngine(
  modelUrl: string,
  extraVariables: Record<string, string> = {},
  agents: readonly Agent[] = [],
): EngineFixture {
  const { env, home, remove } = surroundings(modelUrl);
  const told: PlanLimits[] = [];
  const models: HeardModel[] = [];
  const directory = createRunDirectory();
  const environment = buildEnvironment({
    operator: { ...env, ...extraVariables },
    id: '0123456789abcdef',
    isOwnAddress: () => false,
  });
  Object.assign(environment.variables, extraVariables);
  if (!environment.isLogin) environment.variables.CLAUDE_CONFIG_DIR = join(home, 'isthmus');
  const learned: EngineFixture['learned'] = [];
  const engine = new ClaudeEngine({
    executable: findExecutable(undefined),
    environment,
    directory,
    spawner: new Spawner(process.env.PATH),
    stallMs: 60_000,
    retries: 'client',
    log: (event, fields) => learned.push([event, fields]),
    onLimits: (heard) => told.push(heard),
    onModel: (heard) => models.push(heard),
    agents: new Map(agents.map((agent) => [agent.name, agent])),
  });
  return {
    engine,
    learned,
    told,
    models,
    transcripts: () => findTranscripts(dirname(directory.path), directory.work),
    async close() {
      engine.close();
      await engine.allGone();
      directory.remove();
      remove();
    },
  };
}

export const NO_LISTENER = { onSpawned: () => undefined, onEnded: () => undefined, onParked: () => undefined };

/** Of a client that stays. */
export const PATIENT = new AbortController().signal;

export function request(messages: Message[], rest: Partial<MessagesRequest> = {}): MessagesRequest {
  return {
    model: 'claude-sonnet-5',
    system: 'You are under test.',
    messages,
    tools: [],
    parameters: { max_tokens: 1000 },
    betas: [],
    stream: true,
    ignored: [],
    converted: [],
    unknown: [],
    ...rest,
  };
}

export function user(...content: Array<string | Message['content'][number]>): Message {
  return {
    role: 'user',
    content: content.map((block) => (typeof block === 'string' ? { type: 'text', text: block } : block)),
  };
}

export function assistant(...content: Array<string | Message['content'][number]>): Message {
  return { ...user(...content), role: 'assistant' };
}

export function tool(name: string): ClientTool {
  return {
    name,
    description: `does ${name}`,
    input_schema: { type: 'object', properties: { path: { type: 'string' } } },
  };
}

export async function collect(events: AsyncIterable<TurnEvent> | undefined): Promise<TurnEvent[]> {
  if (!events) throw new Error('there is no turn');
  const collected: TurnEvent[] = [];
  for await (const event of events) collected.push(event);
  return collected;
}

/** Runs a turn to its end. */
export async function finish({ process, events }: BegunTurn) {
  return { process, last: (await collect(events)).at(-1) };
}
