import { type Context, Hono } from 'hono';
import { guardLoop } from '../access/loop-guard.ts';
import { guardRequest } from '../access/request-guard.ts';
import type { Dialect, DialectRoute } from '../dialects/dialect.ts';
import { usageBody } from '../limits/usage-body.ts';
import { FAILURE_FACTS, type Failure, failure, failureOf } from '../spec/failures.ts';
import { TurnsUnderWay } from '../telemetry/turns-under-way.ts';
import { agentStepsHandler } from './agent-steps-route.ts';
import { AnswerMemories } from './answer-memories.ts';
import type { AppOptions, Env } from './app-options.ts';
import { errorResponse, errorsAt, newRequestId, requestIdIn } from './error-answer.ts';
import { healthHandler, liveHandler, readyHandler } from './health-routes.ts';
import { Intake } from './intake.ts';
import { admitPage, isListedPage } from './listed-page.ts';
import { modelHandler } from './model-route.ts';
import { belowAgent, listFor } from './named-agent.ts';
import type { WireSources } from './read-wire.ts';
import { headersOf, viaFrom } from './request-headers.ts';
import { tokenCountHandler } from './token-count-route.ts';
import { turnHandler } from './turn-route.ts';

type Handler = (context: Context<Env>) => Response | Promise<Response>;

/** The most bytes of all bodies that are being received. */
const MOST_INTAKE = 256 * 1024 * 1024;

/** What all routes share. */
interface Shared extends WireSources {
  turns: TurnsUnderWay;
}

/** The app, for {@link listen}. */
export interface App {
  fetch: Hono<Env>['fetch'];
}

/** All routes. They decide nothing themselves. */
export function createApp(options: AppOptions): App {
  const { gateway, dialects, id, bindHost, allowedHosts, allowedOrigins, identity, limits, log } = options;
  const [first, ...further] = dialects;
  const others = Object.fromEntries(further.map(({ name, contract }) => [name, contract]));
  const app = new Hono<Env>();
  const intake = new Intake(MOST_INTAKE);
  const memories = new AnswerMemories();
  const turns = new TurnsUnderWay();

  const refuse = (context: Context, refused: Failure, headers?: Record<string, string>) =>
    errorResponse(refused, context.get('requestId'), errorsAt(context.req.path, dialects), headers);

  app.use(async (context, next) => {
    const header = headersOf(context);
    context.set('requestId', requestIdIn(header('x-request-id')) ?? newRequestId());
    context.header('request-id', context.get('requestId'));
    // OpenAI's SDKs look for this one. An error of the upstream has the upstream's id as its `request-id`.
    context.env.outgoing.setHeader('x-request-id', context.get('requestId'));
    const guarded = {
      host: header('host'),
      origin: header('origin'),
      site: header('sec-fetch-site'),
      localAddress: context.env.incoming.socket.localAddress,
      isListed: isListedPage(context, options),
    };
    // What a cache keeps of an answer for one page is not for another.
    if (allowedOrigins.length > 0) context.env.outgoing.setHeader('vary', 'Origin');
    // Whoever keeps a connection asks the next gateway on another one.
    if (gateway.isDraining) context.env.outgoing.setHeader('connection', 'close');
    const refused = guardLoop(viaFrom(header), id) ?? guardRequest(guarded, bindHost, allowedHosts);
    if (refused) return refuse(context, refused);
    const preflight = guarded.isListed ? admitPage(context) : undefined;
    return preflight ?? next();
  });

  const routes = new Map<string, { [method in 'GET' | 'POST']?: Handler }>([
    [
      '/',
      {
        GET: (context) =>
          context.text(`Isthmus ${identity.version} is here; GET /v1/capabilities says what it does.\n`),
      },
    ],
    ['/health', { GET: healthHandler(options) }],
    ['/livez', { GET: liveHandler }],
    ['/readyz', { GET: readyHandler(options) }],
    ['/inflight', { GET: (context) => context.json(turns.body(performance.now())) }],
    ['/api/hello', { GET: (context) => context.text('hello') }],
    ['/v1/usage', { GET: (context) => context.json(usageBody(limits.at(Date.now()), identity.mode)) }],
    ['/v1/agents/turns/:id', { GET: agentStepsHandler(gateway) }],
    [
      '/v1/capabilities',
      { GET: (context) => context.json({ ...first.contract, dialects: others, errors: FAILURE_FACTS }) },
    ],
  ]);
  for (const dialect of dialects) {
    for (const route of dialect.routes) {
      const own = route.serves === 'model' ? `${route.path}/:id{.+}` : route.path;
      const handler = handlerOf(route, dialect, options, { intake, memories, turns });
      for (const path of [own, belowAgent(own)]) routes.set(path, { ...routes.get(path), [route.method]: handler });
    }
  }
  for (const [path, handlers] of routes) {
    // Hono answers HEAD as GET without the body.
    for (const [method, handler] of Object.entries(handlers)) app.on(method, path, handler);
    const allowed = Object.keys(handlers);
    app.all(path, (context) =>
      refuse(context, failure('method_not_allowed', { method: context.req.method, allowed }), {
        allow: allowed.join(', '),
      }),
    );
  }

  const served = [...routes.keys()].filter((path) => path.startsWith('/v1/') && !path.includes(':'));
  app.notFound((context) =>
    refuse(
      context,
      failure(
        'not_found',
        `There is no ${context.req.method} ${context.req.path}. Isthmus serves ${served.join(', ')} and /health.`,
      ),
    ),
  );
  app.onError((error, context) => {
    const found = failureOf(error);
    if (found.code === 'internal') log('error', { request: context.get('requestId'), stack: error.stack }, 'error');
    return refuse(context, found);
  });
  return { fetch: app.fetch };
}

function handlerOf(route: DialectRoute, dialect: Dialect, options: AppOptions, shared: Shared): Handler {
  switch (route.serves) {
    case 'turn':
      return turnHandler(options, dialect, route, shared);
    case 'token count':
      return tokenCountHandler(options, route, shared);
    case 'models':
      return (context) => context.json(route.encode(listFor(context, options), context.req.query()));
    case 'model':
      return modelHandler(options, route);
  }
}
