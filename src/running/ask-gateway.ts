import { request } from 'node:http';

/** What `GET /health` of a gateway says, as far as it is read here; an older or a starting one says less. */
export interface ToldHealth {
  status?: string;
  version?: string;
  mode?: string;
  credential?: string;
  /** When it began to take requests, in milliseconds since 1970. */
  startedAt?: number;
  /** How many there are of each state. */
  processes?: Readonly<Record<string, number>>;
  waiting?: number;
  memoryBytes?: number;
  limits?: ToldLimits | null;
}

/** What is known of a plan's limits. */
export interface ToldLimits {
  windows?: ReadonlyArray<{ name?: string; utilization?: number | null; resets_at?: string | null }>;
}

/** What was found at an address. */
export type Told =
  /** `isReady`: it takes requests. */
  | { kind: 'isthmus'; health: ToldHealth; isReady: boolean }
  /** Something that is not Isthmus listens. */
  | { kind: 'stranger' }
  /** Nothing answers; `code`: why, in Node's words. */
  | { kind: 'nobody'; code: string };

/** How long each answer may take, in milliseconds. */
const ANSWER_MS = 3_000;

/** Asks whether a gateway listens at a URL, and what it says of itself. Sends no credential. */
export async function askGateway({ url }: { url: string }): Promise<Told> {
  const told = await get(`${url}/health`);
  if (told.kind !== 'answer') return told;
  const health = healthIn(told.body);
  if (health === undefined) return { kind: 'stranger' };
  return { kind: 'isthmus', health, isReady: told.status === 200 && health.status === 'ok' };
}

/** The URL of a gateway that listens on an address; one that listens everywhere is asked on loopback. */
export function urlOf(host: string, port: number): string {
  const name = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

/** Undefined for what no gateway says. */
function healthIn(body: string): ToldHealth | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const health = value as ToldHealth;
  const isStarting = health.status === 'starting_up';
  return isStarting || (typeof health.version === 'string' && typeof health.processes === 'object')
    ? health
    : undefined;
}

type Answer =
  | { kind: 'answer'; status: number; body: string }
  | { kind: 'stranger' }
  | { kind: 'nobody'; code: string };

function get(url: string): Promise<Answer> {
  return new Promise((resolve) => {
    let isConnected = false;
    const asked = request(url, { agent: false, signal: AbortSignal.timeout(ANSWER_MS) }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        body += part;
      });
      response.on('error', () => resolve({ kind: 'stranger' }));
      response.on('end', () => resolve({ kind: 'answer', status: response.statusCode ?? 0, body }));
    });
    asked.on('socket', (socket) => socket.once('connect', () => (isConnected = true)));
    asked.on('error', ({ code = 'unknown' }: NodeJS.ErrnoException) =>
      resolve(isConnected ? { kind: 'stranger' } : { kind: 'nobody', code }),
    );
    asked.end();
  });
}
