/** What stands for all addresses is none to call. */
const LOOPBACK_OF: ReadonlyMap<string, string> = new Map([
  ['0.0.0.0', '127.0.0.1'],
  ['::', '::1'],
]);

/**
 * The URL by which a program of this machine reaches what listens at an address, without a path.
 *
 * @param host the address, or a name, without brackets
 */
export function callableUrl({ host, port }: { host: string; port: number }): string {
  const name = LOOPBACK_OF.get(host) ?? host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}
