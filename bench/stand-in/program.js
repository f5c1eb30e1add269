// @ts-check
import { subscribe } from 'node:diagnostics_channel';
import { Socket } from 'node:net';
import { Agents } from '../../dist/src/agents/agents.js';
import { anthropicMessages } from '../../dist/src/dialects/anthropic-messages/anthropic-messages.js';
import { openAiChat } from '../../dist/src/dialects/openai-chat/openai-chat.js';
import { openAiResponses } from '../../dist/src/dialects/openai-responses/openai-responses.js';
import { Gateway } from '../../dist/src/gateway/gateway.js';
import { createApp } from '../../dist/src/http/app.js';
import { listen } from '../../dist/src/http/listen.js';
import { KnownLimits } from '../../dist/src/limits/known-limits.js';
import { KnownModels } from '../../dist/src/models/known-models.js';
import { createLog } from '../../dist/src/telemetry/log.js';
import { turnLog } from '../../dist/src/telemetry/turn-log.js';
import { TestEngine } from '../../dist/test-engine/test-engine.js';
import { sharedClock, stampsIn } from './answers.js';
import { startPlainServer } from './plain-server.js';
import { answer } from './play.js';

/** More than any load needs: waits for admission are not measured. */
const UNBOUNDED = 1_000_000;

/** Keeps only the newest message: the rest of a conversation lies in `claude`, not in the heap that is measured. */
class ForgetfulEngine extends TestEngine {
  /**
   * @override
   * @param {import('../../src/spec/messages.ts').MessagesRequest} request
   * @param {import('../../src/spec/engine.ts').ProcessListener} listener
   */
  replay(request, listener) {
    return super.replay({ ...request, messages: request.messages.slice(-1) }, listener);
  }
}

const gateway = new Gateway(new ForgetfulEngine({ answer }), {
  spares: 0,
  processes: UNBOUNDED,
  memoryBytes: Number.POSITIVE_INFINITY,
  spawnsAtATime: UNBOUNDED,
  queueLength: 0,
  queueDeadlineMs: 1,
  idleMs: 3_600_000,
  heldMs: 3_600_000,
  reuses: false,
});
/** @type {import('../../src/dialects/dialect.ts').Dialects} */
const DIALECTS = [anthropicMessages, openAiChat, openAiResponses];
const log = createLog((/** @type {string} */ line) => process.stderr.write(line));
const app = createApp({
  gateway,
  dialects: DIALECTS,
  id: 'bench',
  bindHost: '127.0.0.1',
  allowedHosts: [],
  allowedOrigins: [],
  keepAliveMs: 15_000,
  strict: false,
  passesBeta: () => true,
  isBinaryThere: () => true,
  aliasOf: () => undefined,
  models: new KnownModels(),
  agents: new Agents(),
  identity: { version: 'bench', mode: 'bare', credential: 'none', startedAt: new Date().toISOString() },
  limits: new KnownLimits(),
  observers: [turnLog(log)],
  log,
  logsShapes: false,
});
const listener = await listen(DIALECTS, { host: '127.0.0.1', port: 0 });
listener.serve(app);
const { port } = listener;
const plainUrl = await startPlainServer();

/** @type {WeakMap<object, number>} */
const begun = new WeakMap();
/** From a request's head to the last byte of its answer, by the server's port. @type {Map<number, number[]>} */
const times = new Map();
subscribe('http.server.request.start', (event) => {
  begun.set(/** @type {any} */ (event).response, performance.now());
});
subscribe('http.server.response.finish', (event) => {
  const { request, response } = /** @type {any} */ (event);
  add(times, request.socket.localPort, performance.now() - (begun.get(response) ?? Number.NaN));
});

/** From the making of an event to the moment when the system has its bytes, by the server's port. @type {Map<number, number[]>} */
const relays = new Map();
const { _write, _writev } = Socket.prototype;
Socket.prototype._write = function (chunk, encoding, callback) {
  _write.call(this, chunk, encoding, callback);
  written(this, [{ chunk }]);
};
Socket.prototype._writev = function (chunks, callback) {
  _writev?.call(this, chunks, callback);
  written(this, chunks);
};

/**
 * @param {Socket} socket
 * @param {Array<{ chunk: any }>} chunks
 */
function written({ localPort }, chunks) {
  const now = sharedClock();
  for (const { chunk } of chunks)
    for (const stamp of stampsIn(String(chunk))) add(relays, Number(localPort), now - stamp);
}

/**
 * @param {Map<number, number[]>} lists
 * @param {number} port
 * @param {number} value
 */
function add(lists, port, value) {
  const list = lists.get(port) ?? [];
  lists.set(port, list);
  list.push(value);
}

process.on('message', (question) => {
  if (question === 'memory') {
    globalThis.gc?.();
    process.send?.({ rssBytes: process.memoryUsage.rss() });
    return;
  }
  const { user, system } = process.cpuUsage();
  const of = (/** @type {Map<number, number[]>} */ lists) => ({
    gateway: lists.get(port) ?? [],
    plain: lists.get(Number(new URL(plainUrl).port)) ?? [],
  });
  process.send?.({ cpuMs: (user + system) / 1000, times: of(times), relays: of(relays) });
  times.clear();
  relays.clear();
});
process.on('disconnect', () => process.exit(0));
process.send?.({ gatewayUrl: `http://127.0.0.1:${port}`, plainUrl });
