import { spawn } from 'node:child_process';
import { ClientError, type LaunchPlan } from '../clients/client.ts';
import { PROXIES, PROXY_EXCEPTIONS } from '../engine/environment/environment.ts';
import { type ClientSignals, codeOfSignal } from './client-signals.ts';
import { writeFiles } from './launch-folder.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** A client that is about to start. */
export interface PlannedClient {
  program: string;
  plan: LaunchPlan;
  /** Where the plan's files go. */
  folder: string;
  /** The address of the gateway. */
  url: string;
  /** The user's environment. */
  environment: Variables;
}

/**
 * Runs a client in the foreground: it has the terminal.
 *
 * @returns its exit code; 128 and the signal's number if a signal has ended it
 * @throws ClientError if its files cannot be written, or it does not start
 */
export async function runClient(client: PlannedClient, signals: ClientSignals): Promise<number> {
  const { program, plan, folder, url, environment } = client;
  writeFiles(folder, plan.files ?? {});
  try {
    const child = spawn(program, plan.args, {
      env: { ...withoutProxy(environment, new URL(url).hostname), ...plan.environment },
      stdio: 'inherit',
    });
    signals.passTo(child);
    return await new Promise<number>((resolve, reject) => {
      child.once('error', ({ message }) => reject(new ClientError(`${program} does not start: ${message}`)));
      child.once('exit', (code, signal) => resolve(signal ? codeOfSignal(signal) : (code ?? 1)));
    });
  } finally {
    await plan.afterwards?.();
  }
}

/** With the host as an exception from the proxy, if there is one: a proxy cannot reach this machine's loopback. */
export function withoutProxy(environment: Variables, host: string): Variables {
  if (!PROXIES.some((name) => environment[name])) return environment;
  const exceptions = PROXY_EXCEPTIONS.map((name) => environment[name]).find(Boolean);
  const hosts = exceptions === undefined ? host : `${exceptions},${host}`;
  return { ...environment, ...Object.fromEntries(PROXY_EXCEPTIONS.map((name) => [name, hosts])) };
}
