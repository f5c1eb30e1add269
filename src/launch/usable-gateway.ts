import { createWriteStream } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { callableUrl } from '../access/callable-url.ts';
import { BootError } from '../boot/boot-error.ts';
import { createGateway } from '../boot/create-gateway.ts';
import type { Settings } from '../config/settings.ts';
import { askGateway, type Found } from '../running/ask-gateway.ts';
import { createLog } from '../telemetry/log.ts';

/** How long one that is starting is waited for, and how often it is asked, in milliseconds. */
const START_MS = 30_000;
const ASK_MS = 200;

/** What a gateway for one client is made from. */
export interface GatewayWish {
  settings: Settings;
  /** The user's environment, with the credential. */
  environment: Readonly<Record<string, string | undefined>>;
  configFile: string | undefined;
  /** Where one that is started writes its log. */
  logFile: string;
}

/** A gateway that a client can be pointed at. */
export interface UsableGateway {
  url: string;
  /** Why this one; a part of a sentence. */
  why: string;
  /** Set for one that was started for the client. */
  own?: {
    /** What the user should know of it; one sentence each. */
    warnings: readonly string[];
    /** Ends it with all its processes. */
    stop(): Promise<void>;
    /** The same without waiting, for the exit of this process. */
    abandon(): void;
  };
}

/**
 * The gateway that runs at the address of the settings, else a new one of this process, on a free port.
 *
 * @throws BootError if there can be none
 */
export async function usableGateway(wish: GatewayWish): Promise<UsableGateway> {
  const { host, port, socket } = wish.settings;
  const url = callableUrl({ host, port });
  const found = port === 0 || socket !== undefined ? undefined : await askUntilStarted(url);
  if (found?.kind === 'isthmus' && found.health.status === 'ok') {
    return { url, why: `which runs already with ${found.health.credential}` };
  }
  if (wish.environment.ANTHROPIC_BASE_URL === url) {
    throw new BootError(
      `ANTHROPIC_BASE_URL is ${url}, as \`isthmus env\` sets it, and no Isthmus runs there. Start \`isthmus serve\` in another shell, or unset ANTHROPIC_BASE_URL, ANTHROPIC_AUTH_TOKEN and ANTHROPIC_API_KEY here.`,
    );
  }
  return await ownGateway(wish, whyOwn(found, url, socket));
}

async function askUntilStarted(url: string): Promise<Found> {
  const until = performance.now() + START_MS;
  for (;;) {
    const found = await askGateway(url);
    const isStarting = found.kind === 'isthmus' && found.health.status === 'starting_up';
    if (!isStarting || performance.now() > until) return found;
    await sleep(ASK_MS);
  }
}

/**
 * Why a gateway is started beside that of the settings; a part of a sentence. Undefined where none runs.
 *
 * @param found at the address of the settings; undefined if nobody was asked
 * @param socket that the settings name in place of the address
 */
export function whyOwn(found: Found | undefined, url: string, socket?: string): string | undefined {
  if (socket !== undefined) return `since clients call no Unix socket, such as ${socket}`;
  switch (found?.kind) {
    case 'isthmus':
      return `since the one on ${url} says of itself: ${found.health.status}`;
    case 'stranger':
      return `since what listens on ${url} is not Isthmus`;
    case 'nobody':
    case undefined:
      return undefined;
  }
}

async function ownGateway(
  { settings, environment, configFile, logFile }: GatewayWish,
  reason: string | undefined,
): Promise<UsableGateway> {
  const { socket: _, logFormat: __, ...shared } = settings;
  const file = createWriteStream(logFile, { mode: 0o600 });
  // Turns go on without the log when the disk is full.
  file.on('error', () => undefined);
  const log = createLog((line) => file.write(line));
  const gateway = await createGateway({ ...shared, host: '127.0.0.1', port: 0, environment, configFile, log });
  return {
    url: gateway.url,
    why: ['started for it', reason, `with ${gateway.credential}`].filter(Boolean).join(' '),
    own: {
      warnings: gateway.warnings,
      async stop() {
        await gateway.stop(0);
        await new Promise<void>((resolve) => file.end(resolve));
      },
      abandon: () => gateway.abandon(),
    },
  };
}
