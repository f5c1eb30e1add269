import { renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Client, ClientApi } from '../clients/client.ts';
import { ClientSignals } from './client-signals.ts';
import { launchFolder } from './launch-folder.ts';
import { offeredModels } from './offered-models.ts';
import { runClient } from './run-client.ts';
import { type GatewayWish, usableGateway } from './usable-gateway.ts';

/** A client that a user wants to run. */
export interface Launch extends Omit<GatewayWish, 'logFile'> {
  client: Client;
  /** One that the client speaks. */
  api: ClientApi;
  program: string;
  /** The user's arguments for it. */
  args: readonly string[];
  /** Says one line to the user. */
  say(line: string): void;
}

/**
 * Runs a client that asks a gateway, to its end. Nothing is left behind, but the log of a gateway of its own if the client failed.
 *
 * @returns the exit code for this process
 * @throws BootError, ClientError
 */
export async function launchClient({ client, api, program, args, say, ...wish }: Launch): Promise<number> {
  const signals = new ClientSignals();
  const folder = launchFolder();
  const logFile = join(folder, 'gateway.log');
  let code = 1;
  try {
    const gateway = await usableGateway({ ...wish, logFile });
    const abandon = () => gateway.own?.abandon();
    process.once('exit', abandon);
    try {
      const target = { url: gateway.url, api, args, environment: wish.environment, folder };
      const plan = client.launch({ ...target, ...(await offeredModels(gateway.url)) });
      if (signals.early !== undefined) return signals.early;
      say(`${client.title} asks Isthmus on ${gateway.url}, ${gateway.why}`);
      const { environment } = wish;
      for (const warning of gateway.own?.warnings ?? []) say(`warning: ${warning}`);
      code = await runClient({ program, plan, folder, url: gateway.url, environment }, signals);
      return code;
    } finally {
      await gateway.own?.stop();
      process.off('exit', abandon);
    }
  } finally {
    if (code > 0 && code < 128 && sizeOf(logFile) > 0) {
      const kept = `${folder}.log`;
      renameSync(logFile, kept);
      say(`The log of the gateway is ${kept}`);
    }
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
