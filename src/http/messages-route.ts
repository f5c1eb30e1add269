import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import { decodeRequest } from '../dialects/anthropic-messages/decode-request.ts';
import type { Caller } from '../spec/caller.ts';
import { type Failure, failure, failureOf } from '../spec/failures.ts';
import type { MessagesRequest } from '../spec/messages.ts';
import type { AppOptions, Env } from './app-options.ts';
import { fieldList } from './field-list.ts';
import { readJson } from './read-json.ts';
import { jsonAnswer, type OnSettled, streamAnswer } from './write-answer.ts';

/** `POST /v1/messages`: one turn. */
export function messagesRoute({ gateway, keepAliveMs, strict, log }: AppOptions) {
  return async (context: Context<Env>): Promise<Response> => {
    const startedAt = performance.now();
    const requestId = context.get('requestId');
    const { outgoing } = context.env;
    const gone = new AbortController();
    let facts: Record<string, string | number | boolean | undefined> = {};
    let outcome: { failure?: Failure } = { failure: failure('client_gone') };
    const onSettled: OnSettled = (settled) => {
      outcome = settled;
    };
    onceOver(context.env, (isWhole) => {
      // An abort is costly, and nobody listens to it any more after the answer.
      if (!isWhole) gone.abort();
      const failed = outcome.failure ?? (isWhole ? undefined : failure('client_gone'));
      log('turn', {
        request: requestId,
        session: sessionOf(context),
        ...facts,
        outcome: failed?.code ?? 'complete',
        ...(failed ? { status: failed.status } : {}),
        ms: Math.round(performance.now() - startedAt),
      });
    });
    try {
      const request = await decode(context, strict);
      const { model, messages, stream, userId: user } = request;
      facts = { model, messages: messages.length, stream, user };
      const declared = fieldHeaders(request);
      const turn = await gateway.open({
        request,
        caller: callerOf(context),
        signal: gone.signal,
        marks: { arrived: startedAt },
        asReturned: ({ content }) => ({ role: 'assistant', content }),
      });
      facts = { ...facts, path: turn.path, reason: turn.reason };
      const headers = {
        'isthmus-path': turn.path,
        ...(turn.reason === undefined ? {} : { 'isthmus-replay-reason': turn.reason }),
        ...declared,
      };
      return stream
        ? await streamAnswer(turn.events, { outgoing, requestId, headers, keepAliveMs, onSettled })
        : await jsonAnswer(turn.events, { requestId, headers, onSettled });
    } catch (error) {
      onSettled({ failure: failureOf(error) });
      throw error;
    }
  };
}

/** `POST /v1/messages/count_tokens`: how many tokens such a turn would send to the model. */
export function countTokensRoute({ gateway, strict }: AppOptions) {
  return async (context: Context<Env>): Promise<Response> => {
    const gone = new AbortController();
    onceOver(context.env, () => gone.abort());
    const request = await decode(context, strict, { max_tokens: 1 });
    const { inputTokens, source } = await gateway.countTokens({
      request,
      caller: callerOf(context),
      signal: gone.signal,
    });
    return Response.json(
      { input_tokens: inputTokens },
      {
        headers: {
          'request-id': context.get('requestId'),
          'isthmus-token-count': source,
          ...fieldHeaders(request),
        },
      },
    );
  };
}

/**
 * Calls back when an answer is over: sent to its end, or its client has gone. A request that was sent behind another one on
 * its connection hears of that from the connection alone.
 */
function onceOver({ incoming, outgoing }: Env['Bindings'], callback: (isWhole: boolean) => void): void {
  const { socket } = incoming;
  let isOver = false;
  // The one may be told from within the other.
  const over = () => {
    if (isOver) return;
    isOver = true;
    outgoing.off('close', over);
    socket.off('close', over);
    callback(outgoing.writableFinished);
  };
  outgoing.once('close', over);
  socket.once('close', over);
}

/** @param defaults fields that this route's body need not have */
async function decode(context: Context<Env>, strict: boolean, defaults: object = {}): Promise<MessagesRequest> {
  const { body, mayHoldLoneSurrogates } = await readJson(context.env.incoming);
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body);
  return decodeRequest(isObject ? { ...defaults, ...body } : body, {
    betas: (context.req.header('anthropic-beta') ?? '')
      .split(',')
      .map((value) => value.trim())
      .filter((value) => value !== ''),
    strict: strict || context.req.header('isthmus-strict') === '1',
    mayHoldLoneSurrogates,
  });
}

/** What became of the request's fields. */
function fieldHeaders({ ignored, converted }: MessagesRequest): Record<string, string> {
  return {
    ...(ignored.length === 0 ? {} : { 'isthmus-ignored': fieldList(ignored) }),
    ...(converted.length === 0 ? {} : { 'isthmus-converted': fieldList(converted) }),
  };
}

/** Told apart by a digest of whatever key the client sent; the key itself goes no further. */
function callerOf(context: Context<Env>): Caller {
  const key = context.req.header('x-api-key') || context.req.header('authorization') || '';
  const id = createHash('sha256').update(key).digest('base64url');
  return { id, name: id.slice(0, 8), limits: { turns: Number.POSITIVE_INFINITY } };
}

/** The session that a client says it is in: for log lines alone, never to choose a history. */
function sessionOf(context: Context<Env>): string | undefined {
  return (
    context.req.header('x-session-id') ??
    context.req.header('x-session-affinity') ??
    context.req.header('x-claude-code-session-id')
  );
}
