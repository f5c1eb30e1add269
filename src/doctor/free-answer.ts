import { existsSync, readFileSync } from 'node:fs';
import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import type { Socket } from 'node:net';
import { connect as connectTls, rootCertificates } from 'node:tls';
import { ownCertificates } from './check-certificates.ts';
import { proxyFor } from './check-proxy.ts';
import type { Variables } from './finding.ts';

/** What a request without a credential has come to. */
export type FreeAnswer =
  | { kind: 'answered'; status: number; contentType: string; date?: string; ms: number; proxy?: string }
  /** The proxy answered in its own name. */
  | { kind: 'refused by the proxy'; status: number; proxy: string }
  /** `code`: in Node's words; `proxy`: the variable of the proxy that could not be reached. */
  | { kind: 'failed'; code: string; proxy?: string };

/** How long all of it may take, in milliseconds. */
const WHOLE_MS = 6_000;

/** Where Linux systems keep the certificates that they trust. Node does not look there. */
const OF_SYSTEM = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt'];

/**
 * Asks a server for a path and reads the head of its answer, through the proxy that the variables name. It sends no credential:
 * neither of the model's API, nor of the proxy.
 */
export async function freeAnswer(url: URL, operator: Variables): Promise<FreeAnswer> {
  const startedAt = performance.now();
  const proxy = proxyFor(url, operator);
  const signal = AbortSignal.timeout(WHOLE_MS);
  const ca = trusted(operator);
  let isThroughProxy = proxy === undefined;
  try {
    const tunnel = proxy && url.protocol === 'https:' ? await openTunnel(url, proxy.url, ca, signal) : undefined;
    if (typeof tunnel === 'number')
      return { kind: 'refused by the proxy', status: tunnel, proxy: proxy?.variable ?? '' };
    isThroughProxy = true;
    const answer = await (tunnel
      ? head(url, { ca, signal, socket: tunnel })
      : head(url, { ca, signal, proxy: proxy?.url }));
    if (proxy && answer.status === 407) return { kind: 'refused by the proxy', status: 407, proxy: proxy.variable };
    return { kind: 'answered', ...answer, ms: performance.now() - startedAt, ...(proxy && { proxy: proxy.variable }) };
  } catch (error) {
    const { code, name } = error as NodeJS.ErrnoException;
    const isOfProxy = proxy !== undefined && (!isThroughProxy || url.protocol === 'http:');
    return {
      kind: 'failed',
      code: signal.aborted || name === 'AbortError' ? 'ETIMEDOUT' : (code ?? 'unknown'),
      ...(isOfProxy && { proxy: proxy.variable }),
    };
  }
}

interface Way {
  ca: string[];
  signal: AbortSignal;
  /** Through a proxy, with TLS. */
  socket?: Socket;
  /** Without TLS, a proxy is asked for the whole URL. */
  proxy?: URL | undefined;
}

function head(
  url: URL,
  { ca, signal, socket, proxy }: Way,
): Promise<{ status: number; contentType: string; date?: string }> {
  const target = proxy ?? url;
  const host = target.hostname.replace(/^\[|\]$/g, '');
  const options = {
    host,
    port: target.port || undefined,
    path: proxy ? `${url.origin}${url.pathname}` : url.pathname,
    headers: { host: url.host, accept: 'application/json' },
    agent: false,
    signal,
  };
  const tls = { ca, ...(isAddress(host) ? {} : { servername: host }) };
  return new Promise((resolve, reject) => {
    const asked =
      target.protocol === 'https:'
        ? requestTls({
            ...options,
            ...tls,
            ...(socket && { createConnection: () => connectTls({ socket, ...tls, host }) }),
          })
        : requestPlain(options);
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
function openTunnel(url: URL, proxy: URL, ca: string[], signal: AbortSignal): Promise<Socket | number> {
  const authority = `${url.hostname}:${url.port || 443}`;
  const options = {
    host: proxy.hostname.replace(/^\[|\]$/g, ''),
    port: proxy.port || undefined,
    method: 'CONNECT',
    path: authority,
    headers: { host: authority },
    agent: false,
    signal,
  };
  return new Promise((resolve, reject) => {
    const asked = proxy.protocol === 'https:' ? requestTls({ ...options, ca }) : requestPlain(options);
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

/** TLS names no address as the server that it wants. */
const isAddress = (host: string): boolean => /^[\d.]+$/.test(host) || host.includes(':');
