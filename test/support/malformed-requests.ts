import { type Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import fc from 'fast-check';
import { anyBody, type MalformedBody, malformedBody } from './malformed-bodies.ts';

/** A request that must be refused, with the one status that fits its defect. */
export interface MalformedRequest {
  defect: string;
  status: number;
  method: string;
  path: string;
  /** Names and values in turn, as they go over the wire. */
  headers: string[];
  /** A body in several parts goes in chunks, without its length. */
  parts: Buffer[];
  /** The client announces more than it sends, and goes. */
  isCut: boolean;
}

const JSON_TYPE = ['content-type', 'application/json'];

/** Headers that change nothing. */
const oddHeaders = fc
  .array(
    fc.constantFrom(
      ['__proto__', 'x'],
      ['constructor', 'x'],
      ['x-api-key', 'k'.repeat(4_000)],
      ['authorization', 'Basic Og=='],
      ['anthropic-version', 'never'],
      ['anthropic-beta', 'a,'.repeat(500)],
      ['x-session-id', '\u00ff\u00e9'],
      ['accept', 'image/*'],
      ['accept-encoding', 'br'],
      ['expect', '100-continue'],
      ['connection', 'close'],
      ['cookie', ';;;='],
      ['range', 'bytes=5-1'],
      ['if-match', '"x"'],
      ['x-http-method-override', 'DELETE'],
    ),
    { maxLength: 3 },
  )
  .map((headers) => headers.flat());

const inParts = (body: fc.Arbitrary<Buffer>) =>
  fc.tuple(body, fc.option(fc.nat(100_000), { freq: 3 })).map(([bytes, cut]) => {
    const at = cut === null ? 0 : cut % (bytes.length + 1);
    return cut === null ? [bytes] : [bytes.subarray(0, at), bytes.subarray(at)];
  });

/** Where requests go, and what is in them. */
export interface Target {
  paths: readonly string[];
  malformed: fc.Arbitrary<MalformedBody>;
  /** For requests whose defect is elsewhere. */
  any: fc.Arbitrary<Buffer>;
}

const MESSAGES: Target = {
  paths: ['/v1/messages', '/messages', '/v1/messages?beta=true'],
  malformed: malformedBody,
  any: anyBody,
};

const wrongBody = ({ malformed, paths }: Target) =>
  fc.tuple(malformed, fc.constantFrom(...paths)).chain(([{ defect, bytes, headers }, path]) =>
    inParts(fc.constant(bytes)).map((parts) => ({
      defect,
      status: headers.includes('content-encoding') ? 415 : 400,
      method: 'POST',
      path,
      headers: [...JSON_TYPE, ...headers],
      parts,
      isCut: false,
    })),
  );

/** A defect of the request around a body that may itself be good. */
const around = (
  { paths, any }: Target,
  defect: fc.Arbitrary<Pick<MalformedRequest, 'defect' | 'status'> & Partial<MalformedRequest>>,
): fc.Arbitrary<MalformedRequest> =>
  fc.tuple(defect, fc.constantFrom(...paths), inParts(any)).map(([wrong, path, parts]) => ({
    ...{ method: 'POST', path, headers: JSON_TYPE, parts, isCut: false },
    ...wrong,
  }));

const wrongType = fc
  .constantFrom(
    ...['text/plain', 'text/json', 'application/jsonx', 'application/x-www-form-urlencoded', 'application/xml'],
    ...['multipart/form-data; boundary=x', 'json', 'application', '; application/json', '*/*', '', '\u00ff\u00e9'],
    ...[
      'application/json, text/plain',
      'text/plain; application/json',
      'application/octet-stream',
      'application/ json',
    ],
  )
  .map((type) => ({ defect: `content-type ${type}`, status: 415, headers: ['content-type', type] }));

const METHODS = [
  'GET',
  'HEAD',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'MKCOL',
  'COPY',
  'LOCK',
  'SEARCH',
];
const wrongMethod = fc
  .constantFrom(...METHODS, 'MERGE', 'M-SEARCH', 'NOTIFY', 'SUBSCRIBE', 'PURGE', 'LINK', 'REPORT', 'ACL', 'BIND')
  .map((method) => ({ defect: method, status: 405, method }));

/** Paths that can only be read. */
const wrongWrite = fc
  .tuple(fc.constantFrom('POST', 'PUT', 'DELETE'), fc.constantFrom('/', '/health'))
  .map(([method, path]) => ({ defect: `${method} ${path}`, status: 405, method, path }));

const wrongPath = fc
  .tuple(
    fc.oneof(
      fc.constantFrom(
        ...['/v1', '/v1/', '/v1/message', '/v1/messages/', '/v1/messages/x', '/V1/Messages', '//v1/messages'],
        ...[
          '/v1//messages',
          '/v2/messages',
          '/v1/complete',
          '/%ff',
          '/%zz',
          '/v1/messages%00',
          '/__proto__',
          '/favicon.ico',
        ],
      ),
      fc.stringMatching(/^\/[a-z0-9]{1,8}(\/[a-z0-9._~-]{1,8}x){0,5}$/),
    ),
    fc.constantFrom('', '?', '?a=%', '?/v1/messages'),
  )
  .map(([path, query]) => ({ defect: `the path ${path}`, status: 404, path: path + query }));

const wrongTarget = fc
  .constantFrom('/v1\\messages', '/v1/messages\\', 'http://[/v1/messages', 'http://', '*')
  .map((path) => ({ defect: `the target ${path}`, status: 400, path }));

const wrongHost = fc
  .oneof(
    fc
      .constantFrom(
        'evil.example',
        'localhost.evil.example',
        '127.0.0.1.evil.example',
        '10.0.0.1',
        '[::2]',
        'evil.example:80',
      )
      .map((host) => ({ host, status: 403 })),
    fc
      .constantFrom('a b', 'u@127.0.0.1', '127.0.0.1/x', 'localhost:99999', '[::1', 'a,b:c', '?', '\u00ff')
      .map((host) => ({ host, status: 400 })),
  )
  .map(({ host, status }) => ({ defect: `the host ${host}`, status, headers: [...JSON_TYPE, 'host', host] }));

const wrongOrigin = fc
  .constantFrom('http://evil.example', 'null', '', 'https://127.0.0.1', 'http://localhost', 'file://', 'x', '\u00ff')
  .map((origin) => ({ defect: `the origin ${origin}`, status: 403, headers: [...JSON_TYPE, 'origin', origin] }));

const cut = ({ any }: Target) =>
  any
    .filter(({ length }) => length > 0)
    .map((body) => ({ defect: 'a body that is not sent to its end', status: 0, parts: [body], isCut: true }));

/** Requests to these paths that are malformed in one way, and may have odd headers besides. */
export function malformedAt(target: Target): fc.Arbitrary<MalformedRequest> {
  return withOddHeaders(
    fc.oneof(
      { weight: 70, arbitrary: wrongBody(target) },
      { weight: 5, arbitrary: around(target, wrongType) },
      { weight: 5, arbitrary: around(target, wrongMethod) },
      { weight: 3, arbitrary: around(target, wrongHost) },
      { weight: 3, arbitrary: around(target, wrongOrigin) },
      { weight: 1, arbitrary: around(target, cut(target)) },
    ),
  );
}

/** Those of the Messages API, and those that no path takes. */
export const malformedRequest: fc.Arbitrary<MalformedRequest> = fc.oneof(
  { weight: 87, arbitrary: malformedAt(MESSAGES) },
  { weight: 1, arbitrary: withOddHeaders(around(MESSAGES, wrongWrite)) },
  { weight: 5, arbitrary: withOddHeaders(around(MESSAGES, wrongPath)) },
  { weight: 2, arbitrary: withOddHeaders(around(MESSAGES, wrongTarget)) },
);

function withOddHeaders(requests: fc.Arbitrary<MalformedRequest>): fc.Arbitrary<MalformedRequest> {
  return fc
    .tuple(requests, oddHeaders)
    .map(([request, odd]) => ({ ...request, headers: [...request.headers, ...odd] }));
}

export interface Refusal {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/**
 * Sends a request over one of the agent's connections.
 *
 * @returns undefined for a request that its client does not send to its end
 */
export function send(
  agent: Agent,
  url: URL,
  request: MalformedRequest,
  deadlineMs: number,
): Promise<Refusal | undefined> {
  const { method, path, headers, parts, isCut } = request;
  const hasHost = headers.includes('host');
  return new Promise((resolve, reject) => {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const framing =
      parts.length > 1 ? ['transfer-encoding', 'chunked'] : ['content-length', String(length + Number(isCut))];
    const outgoing = httpRequest({
      agent,
      hostname: url.hostname,
      port: url.port,
      method,
      path,
      headers: [...(hasHost ? [] : ['host', url.host]), ...headers, ...framing] as unknown as Record<string, string>,
    });
    const hanging = setTimeout(() => outgoing.destroy(new Error(`no answer to ${request.defect}`)), deadlineMs);
    const settle = (step: () => void) => {
      clearTimeout(hanging);
      step();
    };
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', (error) => settle(() => reject(error)));
      response.on('end', () =>
        settle(() =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        ),
      );
    });
    outgoing.on('error', (error) => settle(() => (isCut ? resolve(undefined) : reject(error))));
    if (isCut) outgoing.write(parts[0] ?? '', () => outgoing.destroy());
    else {
      for (const part of parts) outgoing.write(part);
      outgoing.end();
    }
  });
}
