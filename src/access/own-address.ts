import { hostname, networkInterfaces } from 'node:os';
import { hostName, isLoopback } from './request-guard.ts';

/**
 * Whether a URL leads back to the gateway; as its upstream the gateway would call itself for ever.
 *
 * @param host the address that it listens on, as the operator wrote it
 * @param names of this machine, besides the loopback ones
 */
export function isOwnAddress(url: string, host: string, port: number, names = machineNames()): boolean {
  const name = hostName(url);
  if (name === undefined) return false;
  const urlPort = Number(new URL(url).port || (url.startsWith('https:') ? 443 : 80));
  if (urlPort !== port) return false;
  if (name === host.toLowerCase() || EVERYWHERE.has(name)) return true;
  const listensEverywhere = EVERYWHERE.has(host);
  return isLoopback(name) ? isLoopback(host) || listensEverywhere : listensEverywhere && names.includes(name);
}

const EVERYWHERE: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

function machineNames(): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
  return [hostname().toLowerCase(), ...addresses];
}
