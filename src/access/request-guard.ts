import { type Failure, failure } from '../spec/failures.ts';

/** What the guard needs to know of a request. */
export interface GuardedRequest {
  /** The `Host` header. */
  host: string | undefined;
  /** The `Origin` header; browsers send it, API clients do not. */
  origin: string | undefined;
  /** The `Sec-Fetch-Site` header; browsers send it with every request, also where they leave `Origin` out. */
  site: string | undefined;
  /** The address that the connection came in on. */
  localAddress: string | undefined;
  /** Whether what it asks lists its origin. */
  isListed?: boolean;
}

/**
 * Keeps web pages out: a page that reaches this port by its own name (DNS rebinding) fails the host check, a page on
 * another origin fails the origin check, also where it shares the site: `localhost` with another port does. A page that is listed
 * fails neither if it calls the gateway by its name.
 *
 * @param bindHost the address that the gateway listens on, as the operator wrote it
 * @param allowedHosts other names that it is called by, in lower case
 * @returns why the request is refused, or undefined
 */
export function guardRequest(
  { host, origin, site, localAddress, isListed = false }: GuardedRequest,
  bindHost: string,
  allowedHosts: readonly string[] = [],
): Failure | undefined {
  const name = hostName(`http://${host ?? ''}`);
  const own = [bindHost.toLowerCase(), bare(localAddress), ...allowedHosts];
  if (name === undefined || !(isLoopback(name) || own.includes(name))) {
    return failure('forbidden_host', { host: host ?? '' });
  }
  if (isListed) return undefined;
  if (origin !== undefined && origin.toLowerCase() !== `http://${host}`.toLowerCase()) {
    return failure('forbidden_origin', { origin });
  }
  if (site !== undefined && !OWN_SITES.has(site))
    return failure('forbidden_origin', { origin: `Sec-Fetch-Site: ${site}` });
  return undefined;
}

/** The origin of the web page that makes a request; undefined for a program. Browsers leave it out where a page reads its own. */
export function pageOrigin({
  host,
  origin,
  site,
}: Pick<GuardedRequest, 'host' | 'origin' | 'site'>): string | undefined {
  return origin ?? (site === 'same-origin' ? `http://${host}` : undefined);
}

/** `none`: the user typed the address. */
const OWN_SITES: ReadonlySet<string> = new Set(['same-origin', 'none']);

/** Whether a host name always means this machine. */
export function isLoopback(name: string): boolean {
  return name === 'localhost' || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name);
}

/** The host name of a URL, without the brackets of an IPv6 address. */
export function hostName(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  return new URL(url).hostname.replace(/^\[|\]$/g, '').toLowerCase();
}

/** An address without the prefix that marks IPv4 inside IPv6. */
function bare(address: string | undefined): string | undefined {
  return address?.replace(/^::ffff:/, '').toLowerCase();
}
