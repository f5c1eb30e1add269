import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startScriptedModel } from '../../scripted-model/testing.ts';
import { createGateway, type RunningGateway } from '../boot/create-gateway.ts';
import type { Log } from '../telemetry/log.ts';
import type { RunCommand } from './command.ts';
import { agentWalk } from './demo-agent.ts';
import { answerOfWalk, walk } from './demo-walk.ts';
import { print } from './print.ts';
import { greeting, logTo, stopAndExit } from './serve.ts';
import { firstSignal } from './stop-signals.ts';

/**
 * `isthmus demo`: the real gateway, SDK and `claude` binary over the scripted model, so that no account is needed.
 *
 * Takes turns through a tool loop, an undo and a replay and says which way each took. Then it stays up for a client; with `once`
 * it ends. The exit code is 0 only if every turn was right.
 */
export const run: RunCommand = async (call) => {
  // The walk and the clients that it is for call an address.
  const { logFormat, ...given } = await call.settings();
  const settings = { ...given, socket: undefined };
  const once = 'once' in call.flags;
  let running: RunningGateway | undefined;
  const signalled = firstSignal({
    openRequests: () => running?.openRequests(),
    drainSeconds: settings.drainSeconds,
    say: (line) => print([line]),
  });
  const home = mkdtempSync(join(tmpdir(), 'isthmus-demo-'));
  const model = await startScriptedModel({ script: [answerOfWalk] });
  process.once('exit', () => rmSync(home, { recursive: true, force: true }));
  const logTurns = await logTo(process.stderr, logFormat);
  let isForClients = false;
  // Lines of the walk's own turns would stand between those of its table.
  const log: Log = (...entry) => {
    if (isForClients) logTurns(...entry);
  };
  const environment = demoEnvironment(call.environment, home, model.url);
  const gateway = await createGateway({ ...settings, agents: {}, environment, log }).catch(async (error: unknown) => {
    await model.close();
    throw error;
  });
  running = gateway;
  process.once('exit', () => gateway.abandon());
  const paid = { ...gateway, credential: 'a dummy key; nothing is paid' };
  print([...greeting(paid), `  model       the scripted model on ${model.url}`, '']);
  const isRight = await walk(gateway, model);
  if (!isRight) process.exitCode = 1;
  if ('with-agent' in call.flags) {
    const isDone = await agentWalk({ ...settings, port: 0, environment, log }, model, home);
    if (!isDone) process.exitCode = 1;
    model.use([answerOfWalk]);
  }
  if (once) {
    await gateway.stop(0);
    await model.close();
    rmSync(home, { recursive: true, force: true });
    return;
  }
  print(['', 'Point a client at it; the scripted model repeats what it is told. Ctrl-C ends the demo.', curl(gateway)]);
  isForClients = true;
  await signalled;
  await stopAndExit(gateway);
};

/** Built from nothing: none of the operator's credentials can reach the demo's processes. */
function demoEnvironment(operator: NodeJS.ProcessEnv, home: string, modelUrl: string): NodeJS.ProcessEnv {
  return {
    PATH: operator.PATH,
    HOME: home,
    ANTHROPIC_API_KEY: 'the-demo-uses-no-account',
    ANTHROPIC_BASE_URL: modelUrl,
  };
}

function curl({ url }: RunningGateway): string {
  const body = JSON.stringify({
    model: 'claude-sonnet-5',
    max_tokens: 100,
    messages: [{ role: 'user', content: 'Hello' }],
  });
  return `curl ${url}/v1/messages -H 'content-type: application/json' -d '${body}'`;
}
