import type { Context } from 'hono';
import { isAllowedOrigin } from '../access/allowed-origins.ts';
import type { AppOptions, Env } from './app-options.ts';
import { agentAbove } from './named-agent.ts';
import { headersOf } from './request-headers.ts';

/** How long a browser may remember that it may ask, in seconds; Chrome's own limit. */
const REMEMBERED_SECONDS = 7_200;

/**
 * Whether a page asks whose origin the operator allows, or one that lists it: an agent, for what is below its path. A preflight
 * names an agent in no other way.
 */
export function isListedPage(
  context: Context<Env>,
  { agents, allowedOrigins }: Pick<AppOptions, 'agents' | 'allowedOrigins'>,
): boolean {
  const origin = headersOf(context)('origin');
  if (origin === undefined) return false;
  const name = agentAbove(context.req.path);
  return isAllowedOrigin(origin, allowedOrigins) || (name !== undefined && agents.lists(name, origin));
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
      // What browsers asked before they left this question to their user.
      ...(header('access-control-request-private-network') === 'true' && {
        'access-control-allow-private-network': 'true',
      }),
    },
  });
}
