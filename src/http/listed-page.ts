import type { Context } from 'hono';
import type { Agents } from '../agents/agents.ts';
import type { Env } from './app-options.ts';
import { agentAbove } from './named-agent.ts';
import { headersOf } from './request-headers.ts';

/** How long a browser may remember that it may ask, in seconds; Chrome's own limit. */
const REMEMBERED_SECONDS = 7_200;

/** Whether a page asks below the path of an agent that lists its origin. A preflight names an agent in no other way. */
export function isListedPage(context: Context<Env>, agents: Agents): boolean {
  const origin = headersOf(context)('origin');
  const name = agentAbove(context.req.path);
  return origin !== undefined && name !== undefined && agents.lists(name, origin);
}

/**
 * Lets a listed page read what the answer to its request says, whoever writes it.
 *
 * @returns the whole answer if the request is a preflight
 */
export function admitPage(context: Context<Env>): Response | undefined {
  const header = headersOf(context);
  const { outgoing } = context.env;
  outgoing.setHeader('access-control-allow-origin', header('origin') ?? '');
  outgoing.setHeader('access-control-expose-headers', '*');
  outgoing.setHeader('vary', 'Origin');
  if (context.req.method !== 'OPTIONS' || header('access-control-request-method') === undefined) return undefined;
  return new Response(null, {
    status: 204,
    headers: {
      'access-control-allow-methods': 'GET, POST',
      // A page may send what any program may.
      'access-control-allow-headers': header('access-control-request-headers') ?? '',
      'access-control-max-age': String(REMEMBERED_SECONDS),
    },
  });
}
