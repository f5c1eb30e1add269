import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { callableUrl } from '../access/callable-url.ts';
import { otherPort } from '../boot/own-endpoint.ts';
import { ownVersion } from '../boot/own-version.ts';
import { askGateway, type ToldHealth } from '../running/ask-gateway.ts';
import { type GatewayPlace, type GatewayStatus, statusOf } from '../running/gateway-status.ts';
import { lasting } from '../running/lasting.ts';
import { type Finding, findingsOf, type Surroundings } from './finding.ts';

/** What a look at the port has shown. */
export type SeenPort =
  | { kind: 'free' }
  /** `code`: why nothing can listen there, in Node's words. */
  | { kind: 'refused'; code: string }
  | { kind: 'isthmus'; health: ToldHealth }
  /** Who holds it, where the system tells. */
  | { kind: 'stranger'; holder?: PortHolder | undefined };

/** A process that listens. */
export interface PortHolder {
  pid: number;
  program: string;
}

const { ok, warning, problem } = findingsOf('port');

/** @param now in milliseconds since 1970 */
export function portFindings(seen: SeenPort, host: string, port: number, now: number): Finding[] {
  const address = `Port ${port} on ${host}`;
  const other = `choose another port: --port ${otherPort(port)}`;
  switch (seen.kind) {
    case 'free':
      return [
        ok(port === 0 ? 'Port 0: `isthmus serve` picks a free one.' : `${address} is free for \`isthmus serve\`.`),
      ];
    case 'isthmus': {
      const { version, status, startedAt } = seen.health;
      const since = startedAt === undefined ? '' : ` for ${lasting(now - Date.parse(startedAt))}`;
      const says = `Isthmus ${version ?? 'that is still starting'} runs on ${callableUrl({ host, port })}${since}.`;
      if (status !== undefined && status !== 'ok' && status !== 'starting_up') {
        return [warning(`${says} It says of itself: ${status}.`, '`isthmus status` and its log say more.')];
      }
      if (version !== undefined && version !== ownVersion()) {
        return [warning(`${says} This is version ${ownVersion()}.`, 'Stop the running one and start it again.')];
      }
      return [ok(says)];
    }
    case 'stranger': {
      const who = seen.holder ? `: process ${seen.holder.pid}, ${seen.holder.program}` : '';
      return [problem(`${address} is held by a program that is not Isthmus${who}.`, `Stop it, or ${other}.`)];
    }
    case 'refused':
      return [problem(`Nothing can listen on port ${port} of ${host} (${seen.code}).`, cureOf(seen.code))];
  }
}

function cureOf(code: string): string {
  if (code === 'EACCES') return 'Choose a port above 1023: --port 3456.';
  return 'Choose an address that this machine has: --host 127.0.0.1.';
}

/** A Unix socket: `isthmus serve` itself says why it cannot make one. */
export function socketFindings({ isRunning, isReady, health }: GatewayStatus, socket: string): Finding[] {
  if (!isRunning) return [ok(`No Isthmus listens on the socket ${socket} yet; no port is used.`)];
  const says = `Isthmus ${health?.version ?? 'that is still starting'} listens on the socket ${socket}.`;
  return [isReady ? ok(says) : warning(`${says} It takes no requests.`, '`isthmus status` says why.')];
}

/** Listens there for a moment; if somebody does already, asks whether it is an Isthmus. */
export async function lookAtPort({ host, port }: { host: string; port: number }): Promise<SeenPort> {
  const code = await refusalOf(host, port);
  if (code === undefined) return { kind: 'free' };
  if (code !== 'EADDRINUSE') return { kind: 'refused', code };
  const told = await askGateway(callableUrl({ host, port }));
  if (told.kind === 'isthmus') return { kind: 'isthmus', health: told.health };
  return { kind: 'stranger', holder: holderOf(port) };
}

function refusalOf(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', ({ code = 'unknown' }: NodeJS.ErrnoException) => resolve(code));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

/** The state of a socket that listens, in `/proc/net/tcp`. */
const LISTENS = '0A';

/**
 * Who listens on a port, by Linux's `/proc`; undefined where it does not tell, as of a process of another user.
 *
 * @param root of the file system that tells
 */
export function holderOf(port: number, root = '/proc'): PortHolder | undefined {
  const sockets = new Set(
    ['tcp', 'tcp6'].flatMap((name) =>
      linesOf(`${root}/net/${name}`).flatMap((line) => {
        const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
        const isIt = state === LISTENS && Number.parseInt(local.split(':')[1] ?? '', 16) === port;
        return isIt ? [`socket:[${inode}]`] : [];
      }),
    ),
  );
  if (sockets.size === 0) return undefined;
  for (const pid of namesIn(root).filter((name) => /^\d+$/.test(name))) {
    const holds = namesIn(`${root}/${pid}/fd`).some((name) => sockets.has(targetOf(`${root}/${pid}/fd/${name}`)));
    if (holds) return { pid: Number(pid), program: linesOf(`${root}/${pid}/comm`)[0] ?? '' };
  }
  return undefined;
}

function orElse<Value>(look: () => Value, otherwise: Value): Value {
  try {
    return look();
  } catch {
    return otherwise;
  }
}

const namesIn = (folder: string): string[] => orElse(() => readdirSync(folder), []);
const targetOf = (link: string): string => orElse(() => readlinkSync(link), '');
const linesOf = (file: string): string[] => orElse(() => readFileSync(file, 'utf8').trimEnd().split('\n'), []);

export async function checkPort({ settings }: Surroundings): Promise<Finding[]> {
  const { host, port, socket }: GatewayPlace = settings;
  if (socket !== undefined) return socketFindings(await statusOf({ host, port, socket }), socket);
  return portFindings(await lookAtPort({ host, port }), host, port, Date.now());
}
