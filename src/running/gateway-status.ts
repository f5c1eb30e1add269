import { callableUrl } from '../access/callable-url.ts';
import {
  askGateway,
  askInflight,
  askReadiness,
  type Found,
  type ToldHealth,
  type ToldInflight,
  type ToldReadiness,
} from './ask-gateway.ts';
import { lasting } from './lasting.ts';

/** What `isthmus status` tells. */
export interface GatewayStatus {
  /** What to call; over the socket, where there is one. */
  url: string;
  socket?: string;
  /** Whether an Isthmus runs there. */
  isRunning: boolean;
  /** Whether it takes requests. */
  isReady: boolean;
  /** Why it does not run, or takes no requests; one sentence each. */
  problems: string[];
  health?: ToldHealth;
  inflight?: ToldInflight;
}

/** Where a gateway listens, by its settings. */
export interface GatewayPlace {
  host: string;
  port: number;
  /** The path of a Unix socket, in place of both. */
  socket?: string | undefined;
}

/** Asks the gateway at a place for all that it says of itself. */
export async function statusOf({ host, port, socket }: GatewayPlace): Promise<GatewayStatus> {
  const url = socket === undefined ? callableUrl({ host, port }) : 'http://localhost';
  const found = await askGateway(url, socket);
  const isIsthmus = found.kind === 'isthmus';
  const [readiness, inflight] = isIsthmus
    ? await Promise.all([askReadiness(url, socket), askInflight(url, socket)])
    : [];
  const status = statusFrom(socket ?? url, found, readiness, inflight);
  return socket === undefined ? status : { ...status, url, socket };
}

/**
 * @param url or the path of a socket
 * @param readiness undefined where the gateway does not tell; then its health decides
 */
export function statusFrom(
  url: string,
  found: Found,
  readiness?: ToldReadiness,
  inflight?: ToldInflight,
): GatewayStatus {
  switch (found.kind) {
    case 'nobody':
      return none(url, `Nothing answers on ${url} (${found.code}): \`isthmus serve\` starts it there.`);
    case 'stranger':
      return none(url, `What listens on ${url} is not Isthmus: \`isthmus doctor\` says who.`);
    case 'isthmus': {
      const { health } = found;
      const failing = Object.values(readiness?.checks ?? {}).filter((says) => says !== 'ok');
      const ofHealth = health.status === 'ok' ? [] : [`It says of itself: ${health.status}.`];
      const problems = readiness?.checks ? failing : ofHealth;
      const isReady = problems.length === 0;
      return { url, isRunning: true, isReady, problems, health, ...(inflight && { inflight }) };
    }
  }
}

const none = (url: string, problem: string): GatewayStatus => ({
  url,
  isRunning: false,
  isReady: false,
  problems: [problem],
});

/** As for services of the system: 0 if it takes requests, 3 if none runs, else 1. */
export function exitCodeOf({ isRunning, isReady }: GatewayStatus): number {
  if (!isRunning) return 3;
  return isReady ? 0 : 1;
}

/** @param now in milliseconds since 1970 */
export function statusLines(status: GatewayStatus, now: number): string[] {
  const { url, socket, isRunning, isReady, problems, health = {}, inflight } = status;
  if (!isRunning) return problems;
  const { version, startedAt, credential, mode, processes, waiting, memoryBytes, limits } = health;
  const name = version === undefined ? 'Isthmus' : `Isthmus ${version}`;
  return [
    `${name} ${isReady ? 'takes requests' : 'runs, and takes no requests,'} on ${socket ?? url}`,
    ...problems.map((problem) => line('problem', problem)),
    ...(startedAt === undefined ? [] : [line('since', `${startedAt} (${lasting(now - Date.parse(startedAt))})`)]),
    ...(credential === undefined ? [] : [line('credential', `${credential}${mode ? `, ${mode} mode` : ''}`)]),
    ...(inflight?.turns === undefined
      ? []
      : [line('turns', `${inflight.turns} under way${statesOf(inflight.states)}`)]),
    ...(processes === undefined ? [] : [line('processes', `${counted(processes)}${memoryOf(memoryBytes)}`)]),
    ...(waiting === undefined ? [] : [line('waiting', `${waiting} in the queue`)]),
    ...Object.entries(limits?.windows ?? {}).map(([window, { utilization, resets_at: resetsAt }]) =>
      line(
        'limit',
        [window.replaceAll('_', ' '), used(utilization), resetsAt && `resets ${resetsAt}`].filter(Boolean).join(', '),
      ),
    ),
  ];
}

const line = (name: string, text: string): string => `  ${name.padEnd(11)} ${text}`;

/** Those states that any is in. */
function counted(counts: Readonly<Record<string, number>>): string {
  const some = Object.entries(counts).filter(([, count]) => count > 0);
  return some.length === 0 ? 'none' : some.map(([state, count]) => `${count} ${state}`).join(', ');
}

const statesOf = (states: Readonly<Record<string, number>> = {}): string =>
  Object.keys(states).length === 0 ? '' : ` (${counted(states)})`;

const memoryOf = (bytes: number | undefined): string =>
  bytes === undefined ? '' : `; ${Math.round(bytes / 1024 / 1024)} MB together`;

const used = (utilization: number | null | undefined): string | undefined =>
  utilization === undefined || utilization === null ? undefined : `${Math.round(utilization * 100)} % used`;
