import { createGateway, type RunningGateway } from '../boot/create-gateway.ts';
import type { Settings } from '../config/settings.ts';
import { createLog } from '../telemetry/log.ts';

/** How long turns under way may take after the first signal, in milliseconds. */
const DRAIN_MS = 10_000;

/** `isthmus serve`: runs until a signal. */
export async function serve(settings: Settings, operator: NodeJS.ProcessEnv): Promise<void> {
  const signalled = firstSignal();
  const log = createLog((line) => process.stderr.write(line));
  const gateway = await createGateway({ ...settings, environment: operator, log });
  process.once('exit', () => gateway.abandon());
  print(greeting(gateway));
  await signalled;
  await stopAndExit(gateway);
}

/**
 * Resolves at the first SIGINT, SIGTERM or SIGHUP; the second ends this process at once. Call it before you start anything:
 * before that a signal ends this process and leaves what it started.
 */
export function firstSignal(): Promise<void> {
  return new Promise((resolve) => {
    let signals = 0;
    const onSignal = () => {
      signals += 1;
      if (signals > 1) process.exit(1);
      print(['Stopping; turns under way have ten seconds.']);
      resolve();
    };
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);
  });
}

/** Lets turns under way finish, stops the gateway and ends this process. */
export async function stopAndExit(gateway: RunningGateway): Promise<never> {
  await gateway.stop(DRAIN_MS);
  process.exit(0);
}

/** What a user sees when the gateway is ready. */
export function greeting({ url, executable, credential, warnings }: RunningGateway): string[] {
  const version = executable.version ? ` ${executable.version}` : '';
  return [
    `Isthmus listens on ${url}`,
    `  claude      ${executable.path}${version} (${executable.why})`,
    `  credential  ${credential}`,
    `  OpenCode    "provider": {"anthropic": {"options": {"baseURL": "${url}/v1", "apiKey": "any"}}}   in opencode.json`,
    `  SDKs        ANTHROPIC_BASE_URL=${url} ANTHROPIC_API_KEY=any`,
    ...warnings.map((warning) => `  warning     ${warning}`),
  ];
}

export function print(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}
