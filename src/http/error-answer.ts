import { randomUUID } from 'node:crypto';
import type { Dialect, Dialects, ErrorAnswer } from '../dialects/dialect.ts';
import type { Failure } from '../spec/failures.ts';
import { withoutAgent } from './named-agent.ts';

/** The gateway's own name for a request. */
export function newRequestId(): string {
  return `req_isthmus_${randomUUID().replaceAll('-', '')}`;
}

/** The headers that name a request in its answer. */
export function idHeaders(given: string | undefined): { 'request-id': string; 'x-request-id': string } {
  const own = requestIdIn(given) ?? newRequestId();
  return { 'request-id': own, 'x-request-id': own };
}

/** The client's own id of a request; what is long, has spaces or cannot be printed is none. */
export function requestIdIn(given: string | undefined): string | undefined {
  return given !== undefined && /^[!-~]{1,128}$/.test(given) ? given : undefined;
}

/** How failures are told to a client. */
export type ErrorEncoder = Pick<Dialect, 'encodeError'>;

/**
 * Whose errors a path has: those of the dialect with a turn at the path, or the closest above. Clients of every dialect come to all
 * other paths, such as the list of models: there each finds what it looks for.
 */
export function errorsAt(whole: string, dialects: Dialects): ErrorEncoder {
  const path = withoutAgent(whole);
  let found: Dialect | undefined;
  let longest = 0;
  for (const dialect of dialects) {
    for (const route of dialect.routes) {
      if (route.serves === 'models' || route.serves === 'model') continue;
      if (route.path.length <= longest || !(path === route.path || path.startsWith(`${route.path}/`))) continue;
      longest = route.path.length;
      found = dialect;
    }
  }
  return found ?? { encodeError: (failure, requestId) => errorForAll(failure, requestId, dialects) };
}

/** The first dialect's error, with the fields of the others where it has none of the name. */
function errorForAll(failure: Failure, requestId: string, [first, ...others]: Dialects): ErrorAnswer {
  const answer = first.encodeError(failure, requestId);
  const further = others.map((dialect) => dialect.encodeError(failure, requestId).body.error);
  const error = Object.assign({}, ...further.reverse(), answer.body.error);
  return { ...answer, body: { ...answer.body, error } };
}

/** The whole of an error's answer. */
interface ErrorParts {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** The answer to a request that was refused, or failed before its first byte. */
export function errorParts(failure: Failure, requestId: string, errors: ErrorEncoder): ErrorParts {
  const { status, headers, body } = errors.encodeError(failure, requestId);
  return {
    status,
    headers: {
      'content-type': 'application/json',
      'isthmus-error': failure.code,
      'request-id': failure.requestId ?? requestId,
      ...(failure.retryAfterSeconds === undefined ? {} : { 'retry-after': String(failure.retryAfterSeconds) }),
      // Else the official SDKs sleep for any `retry-after`, and Claude Code repeats a 401 for minutes.
      ...(failure.mayRepeat === undefined ? {} : { 'x-should-retry': String(failure.mayRepeat) }),
      ...headers,
    },
    body: JSON.stringify(body),
  };
}

/**
 * The same for the framework.
 *
 * @param more headers beside those of the error
 */
export function errorResponse(
  failure: Failure,
  requestId: string,
  errors: ErrorEncoder,
  more: Record<string, string> = {},
): Response {
  const { status, headers, body } = errorParts(failure, requestId, errors);
  return new Response(body, { status, headers: { ...more, ...headers } });
}
