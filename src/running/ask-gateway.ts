import { request } from 'node:http';

/** What `GET /health` of a gateway says, as far as it is read here; one that is starting, or is older, says less. */
export interface ToldHealth {
  status?: string;
  version?: string;
  mode?: string;
  credential?: string;
  /** When it began to take requests, as ISO 8601 in UTC. */
  startedAt?: string;
  /** How many there are in each state. */
  processes?: Readonly<Record<string, number>>;
  waiting?: number;
  memoryBytes?: number;
  limits?: ToldLimits | null;
}

/** What is known of a plan's limits, as `GET /v1/usage` says it. */
export interface ToldLimits {
  windows?: Readonly<Record<string, { utilization?: number | null; resets_at?: string | null }>>;
}

/** What `GET /readyz` says: `ok` for each check, or a sentence. */
export interface ToldReadiness {
  status?: string;
  checks?: Readonly<Record<string, string>>;
}

/** What `GET /inflight` says. */
export interface ToldInflight {
  turns?: number;
  states?: Readonly<Record<string, number>>;
}

/** What was found at an address. */
export type Found =
  | { kind: 'isthmus'; health: ToldHealth }
  /** Something that is not Isthmus listens. */
  | { kind: 'stranger' }
  /** Nothing answers; `code`: why, in Node's words. */
  | { kind: 'nobody'; code: string };

/** How long each answer may take, in milliseconds. */
const ANSWER_MS = 3_000;

/**
 * Asks whether a gateway listens at a URL, and what it says of its health. Sends no credential.
 *
 * @param socket the path of the Unix socket that it listens on in place of the URL's host and port
 */
export async function askGateway(url: string, socket?: string): Promise<Found> {
  const answer = await get(`${url}/health`, socket);
  if (answer.kind !== 'answer') return answer;
  const health = answer.body as ToldHealth | undefined;
  const isStarting = health?.status === 'starting_up';
  const isIsthmus = isStarting || (typeof health?.version === 'string' && typeof health.processes === 'object');
  return health && isIsthmus ? { kind: 'isthmus', health } : { kind: 'stranger' };
}

/** Whether a gateway takes requests; undefined if it does not tell. */
export async function askReadiness(url: string, socket?: string): Promise<ToldReadiness | undefined> {
  const answer = await get(`${url}/readyz`, socket);
  const told = answer.kind === 'answer' ? (answer.body as ToldReadiness | undefined) : undefined;
  return told?.checks && told;
}

/** The turns under way in a gateway; undefined if it does not tell. */
export async function askInflight(url: string, socket?: string): Promise<ToldInflight | undefined> {
  const answer = await get(`${url}/inflight`, socket);
  const told = answer.kind === 'answer' ? (answer.body as ToldInflight | undefined) : undefined;
  return told?.turns === undefined ? undefined : told;
}

type Answer =
  /** `body`: undefined if it is no JSON object. */
  { kind: 'answer'; body: object | undefined } | Exclude<Found, { kind: 'isthmus' }>;

function get(url: string, socketPath: string | undefined): Promise<Answer> {
  return new Promise((resolve) => {
    let isConnected = false;
    const signal = AbortSignal.timeout(ANSWER_MS);
    const asked = request(url, { agent: false, signal, ...(socketPath && { socketPath }) }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
      });
      response.on('error', () => resolve({ kind: 'stranger' }));
      response.on('end', () => resolve({ kind: 'answer', body: objectIn(text) }));
    });
    asked.on('socket', (socket) =>
      socket.once('connect', () => {
        isConnected = true;
      }),
    );
    asked.on('error', ({ code = 'unknown' }: NodeJS.ErrnoException) => {
      if (isConnected) resolve({ kind: 'stranger' });
      else resolve({ kind: 'nobody', code: signal.aborted ? 'ETIMEDOUT' : code });
    });
    asked.end();
  });
}

function objectIn(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
