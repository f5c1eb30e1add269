import { exitCodeOf, type GatewayPlace, statusLines, statusOf } from '../running/gateway-status.ts';
import { escapeUnseen } from '../telemetry/escape-unseen.ts';
import type { RunCommand } from './command.ts';
import { CommandError } from './command-error.ts';
import { print } from './print.ts';

/** `isthmus status`: what the running gateway says of itself. The exit code is 0 if it takes requests, 3 if none runs, else 1. */
export const run: RunCommand = async (call) => {
  const place: GatewayPlace = await call.settings();
  if (place.port === 0 && place.socket === undefined)
    throw new CommandError('Port 0 is a free one, which only the gateway knows: give --port PORT.');
  const status = await statusOf(place);
  print('json' in call.flags ? [JSON.stringify(status, null, 2)] : statusLines(status, Date.now()).map(escapeUnseen));
  process.exitCode = exitCodeOf(status);
};
