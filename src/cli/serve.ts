import type { Settings } from '../config/settings.ts';
import { createLog } from '../telemetry/log.ts';
import { type RunningGateway, runGateway } from './run-gateway.ts';

/** How long turns under way may take after the first signal, in milliseconds. */
const DRAIN_MS = 10_000;

/** `isthmus serve`: runs until a signal. */
export async function serve(settings: Settings, operator: NodeJS.ProcessEnv): Promise<void> {
  const log = createLog((line) => process.stderr.write(line));
  const gateway = await runGateway(settings, operator, log);
  print(greeting(gateway));
  await untilStopped(gateway);
}

/** Waits for SIGINT, SIGTERM or SIGHUP and stops the gateway; a second signal stops it at once. */
export async function untilStopped(gateway: RunningGateway): Promise<void> {
  // Whatever ends this process, its children and files go with it.
  process.once('exit', () => gateway.kill());
  await new Promise<void>((resolve) => {
    let signals = 0;
    const onSignal = () => {
      signals += 1;
      if (signals > 1) process.exit(1);
      print(['Stopping; turns under way have ten seconds.']);
      void gateway.stop(DRAIN_MS).then(resolve);
    };
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);
  });
  process.exit(0);
}

/** What a user needs to see at the start. */
export function greeting({ url, executable, credential, mode, warnings }: RunningGateway): string[] {
  const version = executable.version ? ` ${executable.version}` : '';
  return [
    `Isthmus listens on ${url}`,
    `  claude      ${executable.path}${version} (${executable.why})`,
    `  credential  ${credential}${mode === 'bare' ? '' : '; Claude Code adds its own short reminders to what the model sees'}`,
    `  OpenCode    "provider": {"anthropic": {"options": {"baseURL": "${url}/v1", "apiKey": "any"}}}   in opencode.json`,
    `  SDKs        ANTHROPIC_BASE_URL=${url} ANTHROPIC_API_KEY=any`,
    ...warnings.map((warning) => `  warning     ${warning}`),
  ];
}

export function print(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}
