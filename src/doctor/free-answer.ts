import { existsSync, readFileSync } from 'node:fs';
import { type ClientRequest, request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { connect as connectTls, rootCertificates } from 'node:tls';
import { ownCertificates } from './check-certificates.ts';
import { proxyFor } from './check-proxy.ts';
import type { Variables } from './finding.ts';

/** What a request without a credential has come to. */
export type FreeAnswer =
  | { kind: 'answered'; status: number; contentType: string; date?: string; ms: number; proxy?: string }
  /** The proxy answered in its own name. */
  | { kind: 'refused by the proxy'; status: number; proxy: string }
  /** The proxy wants a user and a password. */
  | { kind: 'a sign-in for the proxy'; proxy: string }
  /** `code`: in Node's words; `proxy`: the variable of the proxy that could not be reached. */
  | { kind: 'failed'; code: string; proxy?: string };

/** How long all of it may take, in milliseconds. */
const WHOLE_MS = 6_000;

/** `Proxy Authentication Required`. */
const WANTS_SIGN_IN = 407;

const HEADERS = { accept: 'application/json' };

/** Where Linux systems keep the certificates that they trust. Node does not look there. */
const OF_SYSTEM = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt'];

/**
 * Asks a server for a path and reads the head of its answer, through the proxy that the variables name. It sends no credential:
 * neither of the model's API, nor of the proxy, nor the user and password of a URL.
 */
export async function freeAnswer(url: URL, operator: Variables): Promise<FreeAnswer> {
  const startedAt = performance.now();
  const proxy = proxyFor(url, operator);
  const of = proxy && { proxy: proxy.variable };
  const way: Way = { ca: trusted(operator), signal: AbortSignal.timeout(WHOLE_MS) };
  let tunnel: Socket | undefined;
  try {
    if (proxy && url.protocol === 'https:') {
      const opened = await openTunnel(url, proxy.url, way);
      if (typeof opened === 'number') return refusedBy(proxy.variable, opened);
      tunnel = opened;
    }
    const answer = await (url.protocol === 'https:' ? headByTls(url, way, tunnel) : headInClear(url, way, proxy?.url));
    if (proxy && answer.status === WANTS_SIGN_IN) return refusedBy(proxy.variable, answer.status);
    return { kind: 'answered', ...answer, ms: performance.now() - startedAt, ...of };
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    // Through a tunnel it is the server that fails.
    return { kind: 'failed', code: way.signal.aborted ? 'ETIMEDOUT' : code, ...(tunnel ? {} : of) };
  } finally {
    tunnel?.destroy();
  }
}

function refusedBy(proxy: string, status: number): FreeAnswer {
  if (status === WANTS_SIGN_IN) return { kind: 'a sign-in for the proxy', proxy };
  return { kind: 'refused by the proxy', status, proxy };
}

interface Way {
  /** The authorities that are trusted. */
  ca: string[];
  signal: AbortSignal;
}

/** The head of an answer. */
interface Head {
  status: number;
  contentType: string;
  date?: string;
}

function headByTls(url: URL, { ca, signal }: Way, tunnel: Socket | undefined): Promise<Head> {
  const tls = { ca, ...nameFor(url) };
  const options = { ...targetOf(url), ...tls, path: url.pathname, headers: HEADERS, signal };
  return headOf(
    tunnel
      ? requestTls({ ...options, createConnection: () => connectTls({ socket: tunnel, ...tls }) })
      : requestTls({ ...options, agent: false }),
  );
}

/** Without TLS, a proxy is asked for the whole URL. */
function headInClear(url: URL, { ca, signal }: Way, proxy: URL | undefined): Promise<Head> {
  const path = proxy ? `${url.origin}${url.pathname}` : url.pathname;
  const options = { ...targetOf(proxy ?? url), path, headers: { ...HEADERS, host: url.host }, agent: false, signal };
  return headOf(
    proxy?.protocol === 'https:' ? requestTls({ ...options, ca, ...nameFor(proxy) }) : requestPlain(options),
  );
}

function headOf(asked: ClientRequest): Promise<Head> {
  return new Promise((resolve, reject) => {
    asked.on('response', (response) => {
      const { date, 'content-type': contentType = '' } = response.headers;
      response.destroy();
      resolve({ status: response.statusCode ?? 0, contentType, ...(date && { date }) });
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** @returns the connection to the server, or the status with which the proxy refuses it */
function openTunnel(url: URL, proxy: URL, { ca, signal }: Way): Promise<Socket | number> {
  const path = `${url.hostname}:${url.port || 443}`;
  const options = { ...targetOf(proxy), method: 'CONNECT', path, headers: { host: path }, agent: false, signal };
  return new Promise((resolve, reject) => {
    const asked =
      proxy.protocol === 'https:' ? requestTls({ ...options, ca, ...nameFor(proxy) }) : requestPlain(options);
    asked.on('connect', ({ statusCode = 0 }, socket) => {
      if (statusCode >= 200 && statusCode < 300) return resolve(socket);
      socket.destroy();
      resolve(statusCode);
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** The authorities that Node knows, those of the system, and those that the variables name. */
function trusted(operator: Variables): string[] {
  const ofSystem = OF_SYSTEM.filter((file) => existsSync(file)).map((file) => readFileSync(file, 'utf8'));
  return [...rootCertificates, ...ofSystem, ...ownCertificates(operator)];
}

const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '');

const targetOf = (url: URL) => ({ host: hostOf(url), ...(url.port && { port: url.port }) });

/** TLS names the server that it wants, unless that is an address. */
const nameFor = (url: URL) => (isIP(hostOf(url)) === 0 ? { servername: hostOf(url) } : {});
