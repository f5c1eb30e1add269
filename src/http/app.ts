import { type Context, Hono } from 'hono';
import { guardRequest } from '../access/request-guard.ts';
import { CONTRACT } from '../dialects/anthropic-messages/contract-table.ts';
import { encodeModel, encodeModelsPage, findModel } from '../dialects/anthropic-messages/encode-models.ts';
import { FAILURE_FACTS, type Failure, failure, failureOf } from '../spec/failures.ts';
import type { AppOptions, Env } from './app-options.ts';
import { countTokensRoute, messagesRoute } from './messages-route.ts';
import { failureResponse, newRequestId } from './write-answer.ts';

type Handler = (context: Context<Env>) => Response | Promise<Response>;

/** All routes. Everything that is decided is decided behind them. */
export function createApp(options: AppOptions): Hono<Env> {
  const { gateway, bindHost, identity, models, log } = options;
  const app = new Hono<Env>();

  app.use(async (context, next) => {
    context.set('requestId', newRequestId());
    context.header('request-id', context.get('requestId'));
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

  const routes: Record<string, { GET?: Handler; POST?: Handler }> = {
    '/': {
      GET: (context) => context.text(`Isthmus ${identity.version} is here; GET /v1/capabilities says what it does.\n`),
    },
    '/health': { GET: (context) => context.json({ status: 'ok', ...identity, ...gateway.status }) },
    '/api/hello': { GET: (context) => context.text('hello') },
    '/v1/capabilities': { GET: (context) => context.json({ ...CONTRACT, errors: FAILURE_FACTS }) },
    '/v1/models': { GET: (context) => context.json(encodeModelsPage(models, context.req.query())) },
    '/v1/models/:id{.+}': {
      GET: (context) => context.json(encodeModel(findModel(models, context.req.param('id') ?? ''))),
    },
    '/v1/messages': { POST: messagesRoute(options) },
    '/messages': { POST: messagesRoute(options) },
    '/v1/messages/count_tokens': { POST: countTokensRoute(options) },
    '/messages/count_tokens': { POST: countTokensRoute(options) },
  };
  for (const [path, handlers] of Object.entries(routes)) {
    // HEAD is answered as GET without its body.
    for (const [method, handler] of Object.entries(handlers)) app.on(method, path, handler);
    app.all(path, (context) => refuseMethod(context, Object.keys(handlers)));
  }

  app.notFound((context) =>
    refuse(
      context as Context<Env>,
      failure(
        'not_found',
        `There is no ${context.req.method} ${context.req.path}. Isthmus serves ${Object.keys(routes)
          .filter((path) => path.startsWith('/v1/') && !path.includes(':'))
          .join(', ')} and /health.`,
      ),
    ),
  );
  app.onError((error, context) => {
    const found = failureOf(error);
    if (found.code === 'internal') log('error', { request: context.get('requestId'), stack: error.stack });
    return refuse(context, found);
  });
  return app;
}

function refuse(context: Context<Env>, refused: Failure): Response {
  return failureResponse(refused, context.get('requestId'));
}

function refuseMethod(context: Context<Env>, allowed: string[]): Response {
  const refused = failure('method_not_allowed', { method: context.req.method, allowed });
  return failureResponse(refused, context.get('requestId'), { allow: allowed.join(', ') });
}
