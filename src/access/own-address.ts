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

/**
 * The names that clients may call the gateway by. What listens everywhere may be called by each address of this machine.
 *
 * @param host the address that it listens on, as the operator wrote it
 * @param allowed other names, by the operator
 */
export function callableNames(host: string, allowed: readonly string[], addresses = machineAddresses()): string[] {
  const own = EVERYWHERE.has(host)
    ? ['localhost', ...addresses.filter((address) => isReached(address, host))]
    : isLoopback(host)
      ? [...new Set(['localhost', host])]
      : [host];
  return [...own, ...allowed];
}

/** @param everywhere the address that stands for all; that of IPv6 stands for both kinds */
function isReached(address: string, everywhere: string): boolean {
  // A link-local one needs the name of an interface beside it.
  return !address.includes(':') || (everywhere.includes(':') && !/^fe[89ab]/i.test(address));
}

const EVERYWHERE: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

function machineNames(): string[] {
  return [hostname().toLowerCase(), ...machineAddresses()];
}

function machineAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
}
