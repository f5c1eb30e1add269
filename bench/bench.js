// @ts-check
import { BareConversation } from './bare-conversation.js';
import { BareSdk } from './bare-sdk.js';
import { GatewayConversation } from './gateway-conversation.js';
import { startGateway } from './gateway-process.js';
import { settle } from './machine.js';
import { MessagesClient } from './messages-client.js';
import { ObservedModel } from './observed-model.js';
import { TOOLS } from './workload.js';

/** @typedef {import('./cleanup.js').Cleanup} Cleanup */
/** @typedef {import('./options.js').Options} Options */
/** @typedef {import('./surroundings.js').Mode} Mode */

/** The scripted model and what the rows of both modes add up to. */
export class WholeRun {
  /** @type {Map<Mode, Bench>} */
  #benches = new Map();
  /** @type {MessagesClient[]} */
  clients = [];
  /** The share of the cores that other programs kept busy, before each sample that spawns a process. @type {number[]} */
  busy = [];

  /**
   * @param {Options} options
   * @param {ObservedModel} model
   * @param {Cleanup} cleanup
   */
  constructor(options, model, cleanup) {
    this.options = options;
    this.model = model;
    this.cleanup = cleanup;
  }

  /**
   * @param {Options} options
   * @param {Cleanup} cleanup gets everything that is started
   */
  static async start(options, cleanup) {
    const model = await ObservedModel.start();
    cleanup.add(() => model.close());
    return new WholeRun(options, model, cleanup);
  }

  /**
   * What the rows of one mode of Claude Code work with.
   *
   * @param {Mode} mode
   */
  async bench(mode) {
    const known = this.#benches.get(mode);
    if (known) return known;
    this.cleanup.assertOpen();
    const sdk = new BareSdk(this.model.url, mode);
    this.cleanup.add(() => sdk.remove());
    await sdk.assertSameAsEngine();
    const bench = new Bench(this, mode, sdk);
    this.#benches.set(mode, bench);
    return bench;
  }

  /**
   * How often the model was called for each turn of a client.
   *
   * @returns {import('./results.js').Figures | undefined}
   */
  modelCalls() {
    const turns = this.clients.reduce((sum, client) => sum + client.turns, 0);
    if (turns === 0) return undefined;
    const calls = this.model.calls('gateway');
    const figures = [
      { label: `(${calls} calls, ${turns} turns)`, value: calls / turns, unit: '', atLeast: 1, atMost: 1 },
    ];
    const bareTurns = [...this.#benches.values()].reduce((sum, { sdk }) => sum + sdk.turns, 0);
    if (bareTurns > 0) {
      const bare = this.model.calls('bare');
      const label = `of the bare SDK (${bare} calls, ${bareTurns} turns)`;
      figures.push({ label, value: bare / bareTurns, unit: '', atLeast: 1, atMost: 1 });
    }
    return { kind: 'figures', name: 'model calls per client turn', figures };
  }
}

/** What every row works with: the scripted model, and gateways and the bare SDK in one mode of Claude Code. */
export class Bench {
  #run;

  /**
   * @param {WholeRun} run
   * @param {Mode} mode
   * @param {BareSdk} sdk
   */
  constructor(run, mode, sdk) {
    this.#run = run;
    this.mode = mode;
    this.sdk = sdk;
    this.options = run.options;
    this.model = run.model;
    this.cleanup = run.cleanup;
  }

  /** The name of a row's result; both modes may have it. @param {string} name */
  named(name) {
    return this.mode === 'full' ? `${name}, full mode` : name;
  }

  /**
   * Starts a gateway for one row, and a client of it.
   *
   * @param {Omit<Parameters<typeof startGateway>[2], 'mode'>} [settings]
   */
  async gateway(settings) {
    const gateway = await startGateway(this.model.url, this.cleanup, { mode: this.mode, ...settings });
    const client = new MessagesClient(gateway.url);
    this.#run.clients.push(client);
    const stop = async () => {
      client.close();
      await gateway.stop();
    };
    return { ...gateway, client, stop };
  }

  /**
   * @param {MessagesClient} client
   * @param {import('./gateway-conversation.js').Message[]} [history] what the client says was said before
   * @param {string} [asked] the name of the model
   */
  gatewayConversation(client, history, asked) {
    return new GatewayConversation(this.model, client, history, asked);
  }

  /** @param {typeof TOOLS} [tools] */
  bareConversation(tools = TOOLS) {
    this.cleanup.assertOpen();
    const conversation = new BareConversation(this.model, this.sdk, tools);
    const end = this.cleanup.add(() => conversation.end());
    return { conversation, end };
  }

  /** Waits until the machine is as quiet as it gets, unless nobody reads the times. */
  async settle() {
    if (this.options.isQuick) return;
    this.#run.busy.push(await settle());
  }
}
