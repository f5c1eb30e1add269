import { PROXIES, PROXY_EXCEPTIONS } from '../engine/environment/environment.ts';
import { type Finding, findingsOf, type Surroundings, type Variables } from './finding.ts';

const { ok, warning, problem } = findingsOf('proxy');

/** Loopback as clients write it in a URL. */
const LOOPBACK = ['127.0.0.1', 'localhost'] as const;

/** The variables of proxies: whether they are URLs, and whether what runs on this machine is kept from them. */
export function proxyFindings(operator: Variables): Finding[] {
  const set = PROXIES.filter((name) => operator[name]);
  if (set.length === 0) return [ok('No variable names a proxy.')];
  const broken = set.filter((name) => proxyUrl(operator[name] ?? '') === undefined);
  const differing = set.filter((name) => {
    const other = operator[name.toLowerCase()];
    return name !== name.toLowerCase() && other !== undefined && other !== operator[name];
  });
  // For HTTPS alone no proxy is asked for what has no TLS.
  const forHttp = set.filter((name) => !/^https_/i.test(name));
  const exposed = LOOPBACK.filter((host) => !isExcepted(host, 3456, operator));
  const findings = [
    ...broken.map((name) =>
      problem(`${name} is not the URL of a proxy.`, `Write it with its scheme: ${name}=http://HOST:PORT.`),
    ),
    ...differing.map((name) =>
      warning(
        `${name} and ${name.toLowerCase()} differ, and programs do not agree which of them counts.`,
        'Give both the same value, or unset one.',
      ),
    ),
    ...(forHttp.length > 0 && exposed.length > 0
      ? [
          warning(
            `${forHttp.join(' and ')} ${forHttp.length === 1 ? 'is' : 'are'} set and NO_PROXY does not name ${exposed.join(' and ')}: clients with these variables ask the proxy for Isthmus.`,
            `Add to it: NO_PROXY=${LOOPBACK.join(',')}`,
          ),
        ]
      : []),
  ];
  return findings.length > 0 ? findings : [ok(`${set.join(', ')}: set, and not used for this machine itself.`)];
}

/** The proxy for a URL, by the usual reading of the variables; undefined without one, or if its variable is no URL. */
export function proxyFor(url: URL, operator: Variables): { url: URL; variable: string } | undefined {
  if (
    isExcepted(
      url.hostname.replace(/^\[|\]$/g, ''),
      Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
      operator,
    )
  )
    return undefined;
  const names = url.protocol === 'https:' ? ['https_proxy', 'HTTPS_PROXY'] : ['http_proxy', 'HTTP_PROXY'];
  const variable = [...names, 'all_proxy', 'ALL_PROXY'].find((name) => operator[name]);
  const found = variable === undefined ? undefined : proxyUrl(operator[variable] ?? '');
  return variable !== undefined && found ? { url: found, variable } : undefined;
}

/** Programs take `HOST:PORT` for a proxy, too. */
function proxyUrl(value: string): URL | undefined {
  const text = /^[\w.-]+:\d+$/.test(value) ? `http://${value}` : value;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url && ['http:', 'https:'].includes(url.protocol) && url.hostname !== '' ? url : undefined;
}

/** Whether `NO_PROXY` keeps a host from the proxy: by its name, a domain above it, or `*`; with or without a port. */
function isExcepted(host: string, port: number, operator: Variables): boolean {
  const entries = PROXY_EXCEPTIONS.flatMap((name) => (operator[name] ?? '').toLowerCase().split(/[\s,]+/));
  return entries.some((entry) => {
    if (entry === '*') return true;
    const [, name = '', ofPort] = /^\*?\.?(.*?)(?::(\d+))?$/.exec(entry) ?? [];
    if (name === '' || (ofPort !== undefined && Number(ofPort) !== port)) return false;
    return host === name || host.endsWith(`.${name}`);
  });
}

export const checkProxy = ({ operator }: Surroundings): Finding[] => proxyFindings(operator);
