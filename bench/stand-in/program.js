// @ts-check
import { subscribe } from 'node:diagnostics_channel';
import { Gateway } from '../../dist/gateway/gateway.js';
import { createApp } from '../../dist/http/app.js';
import { listen } from '../../dist/http/listen.js';
import { createLog } from '../../dist/telemetry/log.js';
import { StandInEngine } from './engine.js';
import { startPlainServer } from './plain-server.js';

/** More than any load asks for: what is measured is no admission. */
const UNBOUNDED = 1_000_000;

const gateway = new Gateway(/** @type {any} */ (new StandInEngine()), {
  spares: 0,
  processes: UNBOUNDED,
  memoryBytes: Number.POSITIVE_INFINITY,
  startsAtATime: UNBOUNDED,
  queueLength: 0,
  queueDeadlineMs: 1,
  idleMs: 3_600_000,
  heldMs: 3_600_000,
});
const app = createApp({
  gateway,
  bindHost: '127.0.0.1',
  keepAliveMs: 15_000,
  strict: false,
  models: [],
  identity: { version: 'bench', mode: 'bare', credential: 'none' },
  log: createLog((/** @type {string} */ line) => process.stderr.write(line)),
});
const { port } = await listen(app, '127.0.0.1', 0);
const plainUrl = await startPlainServer();

/** @type {WeakMap<object, number>} */
const begun = new WeakMap();
/** From a request's head to the last byte of its answer, both servers'. @type {number[]} */
let times = [];
subscribe('http.server.request.start', (event) => {
  begun.set(/** @type {any} */ (event).response, performance.now());
});
subscribe('http.server.response.finish', (event) => {
  times.push(performance.now() - (begun.get(/** @type {any} */ (event).response) ?? Number.NaN));
});

process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuMs: (user + system) / 1000, times });
  times = [];
});
process.on('disconnect', () => process.exit(0));
process.send?.({ gatewayUrl: `http://127.0.0.1:${port}`, plainUrl });
