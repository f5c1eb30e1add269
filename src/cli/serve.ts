import type { RunningGateway } from '../boot/create-gateway.ts';
import { standardOf } from '../config/setting-table.ts';
import type { Settings } from '../config/settings.ts';
import { supervise } from '../service/supervise.ts';
import { createLog, type Log } from '../telemetry/log.ts';
import type { RunCommand } from './command.ts';
import { ownCommand } from './own-command.ts';
import { print } from './print.ts';
import { firstSignal } from './stop-signals.ts';

/** `isthmus serve`: runs until a signal. With `--supervise` it does so in a child that is started again after a crash. */
export const run: RunCommand = async (call) => {
  const { supervise: isSupervised, ...flags } = call.flags;
  if (isSupervised === undefined) return await serve(call);
  const command = ownCommand('serve', flags);
  const say = (line: string) => process.stderr.write(`isthmus: ${line}\n`);
  process.exit(await supervise({ command, environment: call.environment, say }));
};

const serve: RunCommand = async (call) => {
  // A supervisor loads none of this.
  const [{ createGateway }, { namedConfigFile }] = await Promise.all([
    import('../boot/create-gateway.ts'),
    import('../config/settings.ts'),
  ]);
  const { logFormat, ...settings } = await call.settings();
  const { environment } = call;
  let running: RunningGateway | undefined;
  // The channel to a supervisor closes when that is gone; then nobody would pass a signal on.
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  // The listener alone would keep a start that has failed alive.
  process.channel?.unref();
  const signalled = firstSignal({
    openRequests: () => running?.openRequests(),
    drainSeconds: settings.drainSeconds,
    say: (line) => print([line]),
  });
  const log = await logTo(process.stderr, logFormat);
  const gateway = await createGateway({ ...settings, environment, configFile: namedConfigFile(call), log });
  running = gateway;
  process.once('exit', () => gateway.abandon());
  print(greeting(gateway));
  await signalled;
  await stopAndExit(gateway);
};

/** The log of the program, in the format that the operator wants; a format loads no more than it needs. */
export async function logTo(output: NodeJS.WritableStream, format: Settings['logFormat']): Promise<Log> {
  const write = (line: string) => void output.write(line);
  if (format === 'text') return createLog(write);
  const { createJsonLog } = await import('../telemetry/json-log.ts');
  return createJsonLog(write);
}

/** Lets turns under way finish, stops the gateway and ends this process. */
export async function stopAndExit(gateway: RunningGateway): Promise<never> {
  await gateway.stop();
  process.exit(0);
}

/** What a user sees when the gateway is ready. */
export function greeting(gateway: RunningGateway): string[] {
  const { url, socket, executable, credential, agents, warnings } = gateway;
  const version = executable.version ? ` ${executable.version}` : '';
  return [
    `Isthmus listens on ${socket ?? url}`,
    `  claude      ${executable.path}${version} (${executable.why})`,
    `  credential  ${credential}`,
    ...howToCall(gateway),
    ...agents.map(
      ({ name, level, workspace, hasKey }) =>
        `  agent       ${name}: ${level} in ${workspace}, for ${hasKey ? 'clients with its key' : 'any client'}`,
    ),
    ...warnings.map((warning) => `  warning     ${warning}`),
  ];
}

function howToCall({ url, host, port, socket, names }: RunningGateway): string[] {
  const isCalledByOthers = names.some((name) => name !== 'localhost' && name !== host);
  const ofNames = isCalledByOthers ? [`  names       ${names.join(', ')}; any other needs --allowed-hosts`] : [];
  if (socket !== undefined) return [`  curl        curl --unix-socket ${inShell(socket)} ${url}/v1/models`, ...ofNames];
  const flags = [host !== standardOf('host') && ` --host ${host}`, port !== standardOf('port') && ` --port ${port}`];
  return [
    `  clients     isthmus launch CLIENT${flags.filter(Boolean).join('')}; isthmus clients lists them`,
    `  SDKs        ANTHROPIC_BASE_URL=${url} ANTHROPIC_API_KEY=any`,
    ...ofNames,
  ];
}

function inShell(word: string): string {
  return /^[\w./@%+,:-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
