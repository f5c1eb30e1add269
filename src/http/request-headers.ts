import type { Context } from 'hono';
import { callerOf, keyDigest, type SentKeys } from '../access/caller-of.ts';
import { viaIn } from '../access/loop-guard.ts';
import { pageOrigin } from '../access/request-guard.ts';
import type { Asker } from '../agents/agents.ts';
import type { AgentSession } from '../spec/agent.ts';
import type { Caller } from '../spec/caller.ts';
import { VIA_HEADER } from '../spec/via.ts';
import type { Env } from './app-options.ts';

/** The value of a header, by its lower-case name. */
export type HeaderReader = (name: string) => string | undefined;

export function headersOf(context: Context<Env>): HeaderReader {
  return (name) => context.req.header(name);
}

export function callerFrom(header: HeaderReader): Caller {
  return callerOf(keysIn(header));
}

/** Who asks for an agent. */
export function askerFrom(header: HeaderReader): Asker {
  return {
    keyDigest: keyDigest(keysIn(header)),
    origin: pageOrigin({ host: header('host'), origin: header('origin'), site: header('sec-fetch-site') }),
  };
}

function keysIn(header: HeaderReader): SentKeys {
  return { apiKey: header('x-api-key'), authorization: header('authorization') };
}

/** The gateways of this kind that a request came through. */
export function viaFrom(header: HeaderReader): string[] {
  return viaIn(header(VIA_HEADER));
}

/** @param always whether the operator asks for strictness in every request */
export function isStrict(header: HeaderReader, always: boolean): boolean {
  return always || header('isthmus-strict') === '1';
}

/** The client program: the first product that its user agent names, such as `opencode/1.2`. */
export function clientFrom(header: HeaderReader): string | undefined {
  return /^[^\s(]+/.exec(header('user-agent') ?? '')?.[0];
}

/** The session that a client says it is in: for the record only, never to choose a history. */
export function sessionFrom(header: HeaderReader): string | undefined {
  return header('x-session-id') ?? header('x-session-affinity') ?? header('x-claude-code-session-id');
}

/** What tells conversations with an agent apart that look alike; it chooses no history of others. */
export function agentSessionFrom(header: HeaderReader): AgentSession {
  return {
    id: sessionIdIn(header('isthmus-session') ?? header('x-claude-session-id')),
    clientId: header('x-opencode-session') ?? sessionFrom(header),
  };
}

/** Anything else is no id of ours. */
function sessionIdIn(given: string | undefined): string | undefined {
  return given !== undefined && /^[\w-]{1,64}$/.test(given) ? given : undefined;
}
