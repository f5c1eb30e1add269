import { createHash, randomUUID } from 'node:crypto';
import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { guardRequest } from '../access/request-guard.ts';
import { decodeRequest } from '../dialects/anthropic-messages/decode-request.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { badRequest, type Failure, failureOf, nestedTooDeeply } from '../spec/failure.ts';
import type { Log } from '../telemetry/log.ts';
import { failureResponse, jsonAnswer, streamAnswer } from './answer.ts';
import { ignoredHeader } from './ignored-header.ts';
import { readBody } from './read-body.ts';

export interface AppOptions {
  gateway: Gateway;
  /** As the operator wrote it. */
  bindHost: string;
  keepAliveMs: number;
  /** What `GET /health` says beside the processes. */
  identity: { version: string; mode: string; credential: string };
  log: Log;
}

type Env = { Bindings: HttpBindings; Variables: { requestId: string } };

/** All routes. Everything that is decided is decided behind them. */
export function createApp({ gateway, bindHost, keepAliveMs, identity, log }: AppOptions): Hono<Env> {
  const app = new Hono<Env>();

  app.use(async (context, next) => {
    context.set('requestId', `req_isthmus_${randomUUID().replaceAll('-', '')}`);
    const refused = guardRequest(
      {
        host: context.req.header('host'),
        origin: context.req.header('origin'),
        localAddress: context.env.incoming.socket.localAddress,
      },
      bindHost,
    );
    if (refused) return refuse(context, refused);
    return next();
  });

  app.get('/health', (context) => context.json({ status: 'ok', ...identity, ...gateway.status }));
  app.get('/', (context) => context.text('Isthmus is here: POST /v1/messages, GET /health.\n'));

  const messages = async (context: Context<Env>): Promise<Response> => {
    const startedAt = performance.now();
    const requestId = context.get('requestId');
    const gone = new AbortController();
    context.env.outgoing.once('close', () => gone.abort());
    let facts: Record<string, string | number | boolean | undefined> = {};
    const settle = ({ failure }: { failure?: Failure }) =>
      log('turn', {
        request: requestId,
        session: sessionOf(context),
        ...facts,
        outcome: failure?.code ?? 'complete',
        ...(failure ? { status: failure.status } : {}),
        ms: Math.round(performance.now() - startedAt),
      });
    try {
      const { body, mayHoldLoneSurrogates } = await readJson(context);
      const request = decodeRequest(body, mayHoldLoneSurrogates);
      facts = { model: request.model, messages: request.messages.length, stream: request.stream };
      const turn = await gateway.open(request, clientKey(context), gone.signal);
      facts = { ...facts, path: turn.path, reason: turn.reason };
      const answer = request.stream ? streamAnswer : jsonAnswer;
      return await answer(turn.events, {
        requestId,
        keepAliveMs,
        headers: {
          'isthmus-path': turn.path,
          ...(turn.reason === undefined ? {} : { 'isthmus-replay-reason': turn.reason }),
          ...(request.ignored.length === 0 ? {} : { 'isthmus-ignored': ignoredHeader(request.ignored) }),
        },
        onSettled: settle,
      });
    } catch (error) {
      const failure = error instanceof RangeError ? nestedTooDeeply() : failureOf(error);
      if (failure.code === 'internal')
        log('error', { request: requestId, stack: error instanceof Error ? error.stack : String(error) });
      settle({ failure });
      return refuse(context, failure);
    }
  };
  for (const path of ['/v1/messages', '/messages']) {
    app.post(path, messages);
    app.all(path, (context) =>
      refuse(context, {
        code: 'method_not_allowed',
        status: 405,
        type: 'invalid_request_error',
        message: `${context.req.method} is not allowed here; use POST.`,
      }),
    );
  }

  app.notFound((context) =>
    refuse(context as Context<Env>, {
      code: 'not_found',
      status: 404,
      type: 'not_found_error',
      message: `There is no ${context.req.method} ${context.req.path}. Isthmus serves POST /v1/messages and GET /health.`,
    }),
  );
  app.onError((error, context) => {
    log('error', { request: context.get('requestId'), stack: error.stack });
    return refuse(context, failureOf(error));
  });
  return app;
}

function refuse(context: Context<Env>, failure: Failure): Response {
  return failureResponse(failure, context.get('requestId'));
}

/** UTF-8 cannot hold half a surrogate pair; a JSON escape can. */
const SURROGATE_ESCAPE = /\\u[dD]/;

async function readJson(context: Context<Env>): Promise<{ body: unknown; mayHoldLoneSurrogates: boolean }> {
  const type = context.req.header('content-type') ?? '';
  if (type.split(';')[0]?.trim().toLowerCase() !== 'application/json') {
    const error = badRequest('', `The content type must be application/json, not ${JSON.stringify(type)}.`);
    error.failure.code = 'unsupported_media_type';
    error.failure.status = 415;
    throw error;
  }
  const text = await readBody(context.env.incoming);
  try {
    return { body: JSON.parse(text), mayHoldLoneSurrogates: SURROGATE_ESCAPE.test(text) };
  } catch (error) {
    throw badRequest('', `The body is not valid JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A digest of whatever key the client sent; the key itself goes no further. */
function clientKey(context: Context<Env>): string {
  const key = context.req.header('x-api-key') ?? context.req.header('authorization') ?? '';
  return createHash('sha256').update(key).digest('base64url');
}

/** The session that a client says it is in: for log lines alone, never to choose a history. */
function sessionOf(context: Context<Env>): string | undefined {
  return (
    context.req.header('x-session-id') ??
    context.req.header('x-session-affinity') ??
    context.req.header('x-claude-code-session-id')
  );
}
