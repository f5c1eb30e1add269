import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Context, Hono } from 'hono';
import { anthropicMessages } from '../../src/dialects/anthropic-messages/anthropic-messages.ts';
import type { AnswerEncoder, Dialect } from '../../src/dialects/dialect.ts';
import type { Env } from '../../src/http/app-options.ts';
import { type Listener, listen } from '../../src/http/listen.ts';
import { writeAnswer } from '../../src/http/write-answer.ts';
import type { TurnEvent } from '../../src/spec/turn-events.ts';
import type { TurnRecord } from '../../src/spec/turn-record.ts';
import { TurnRecorder } from '../../src/telemetry/turn-recorder.ts';
import type { GeneratedTurn } from './generated-turns.ts';

/** How a turn is answered. */
export interface StreamOptions {
  dialect: Dialect;
  encoder: AnswerEncoder;
  /** In milliseconds; by default none comes. */
  keepAliveMs?: number;
}

export interface StreamedAnswer {
  response: Response;
  /** What the product says of its end. */
  record(): TurnRecord;
}

/** By the name in the path. */
type AskedTurns = Map<string, (context: Context<Env>) => Promise<Response>>;

/** The product's streaming answer over HTTP, for turns that a test makes up. */
export class StreamServer {
  readonly #listener: Listener;
  readonly #asked: AskedTurns;

  private constructor(listener: Listener, asked: AskedTurns) {
    this.#listener = listener;
    this.#asked = asked;
  }

  static async start(): Promise<StreamServer> {
    const asked: AskedTurns = new Map();
    const app = new Hono<Env>();
    app.get('/:turn', (context) => asked.get(context.req.param('turn'))?.(context) ?? context.notFound());
    const listener = await listen([anthropicMessages], { host: '127.0.0.1', port: 0 });
    listener.serve(app);
    return new StreamServer(listener, asked);
  }

  /** Answers a turn. In its silences the model waits until a keep-alive has gone out. */
  async answer(
    { events, silences }: Pick<GeneratedTurn, 'events' | 'silences'>,
    { dialect, encoder, keepAliveMs = 3_600_000 }: StreamOptions,
  ): Promise<StreamedAnswer> {
    const name = randomUUID();
    const recorder = new TurnRecorder({ requestId: 'req_own', caller: 'any' }, performance.now());
    this.#asked.set(name, ({ env: { outgoing } }) =>
      writeAnswer(play(events, silences, outgoing), {
        outgoing,
        dialect,
        encoder,
        stream: true,
        requestId: 'req_own',
        headers: { 'isthmus-path': 'start' },
        limits: () => undefined,
        keepAliveMs,
        recorder,
      }),
    );
    const response = await fetch(`http://127.0.0.1:${this.#listener.port}/${name}`);
    this.#asked.delete(name);
    return { response, record: () => recorder.record(performance.now(), true) };
  }

  async stop(): Promise<void> {
    const closed = this.#listener.close();
    await this.#listener.finish(0);
    await closed;
  }
}

async function* play(
  events: readonly TurnEvent[],
  silences: ReadonlySet<number>,
  outgoing: ServerResponse,
): AsyncGenerator<TurnEvent> {
  for (const [index, event] of events.entries()) {
    if (silences.has(index)) await untilKeptAlive(outgoing);
    yield event;
  }
}

/** A silence that is long enough by what it does, not by a clock that a busy machine overtakes. */
async function untilKeptAlive({ socket }: ServerResponse): Promise<void> {
  // What came before the silence is written by then.
  await sleep(1);
  const before = socket?.bytesWritten;
  while (socket?.bytesWritten === before) await sleep(1);
}
