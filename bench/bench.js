// @ts-check
import { BareConversation } from './bare-conversation.js';
import { BareSdk } from './bare-sdk.js';
import { Cleanup } from './cleanup.js';
import { GatewayConversation } from './gateway-conversation.js';
import { startGateway } from './gateway-process.js';
import { settle } from './machine.js';
import { MessagesClient } from './messages-client.js';
import { ObservedModel } from './observed-model.js';

/** @typedef {import('./options.js').Options} Options */

/** What every row works with: the scripted model, gateways, the bare SDK, and the counts of the whole run. */
export class Bench {
  /** @type {MessagesClient[]} */
  #clients = [];
  /** The share of the cores that other programs kept busy, before each sample that spawns a process. */
  /** @type {number[]} */
  busy = [];

  /**
   * @param {Options} options
   * @param {ObservedModel} model
   * @param {BareSdk} sdk
   * @param {Cleanup} cleanup
   */
  constructor(options, model, sdk, cleanup) {
    this.options = options;
    this.model = model;
    this.sdk = sdk;
    this.cleanup = cleanup;
  }

  /**
   * @param {Options} options
   * @param {Cleanup} cleanup gets everything that is started
   */
  static async start(options, cleanup) {
    const model = await ObservedModel.start();
    cleanup.add(() => model.close());
    cleanup.assertOpen();
    const sdk = new BareSdk(model.url);
    cleanup.add(() => sdk.remove());
    await sdk.assertSameAsEngine();
    return new Bench(options, model, sdk, cleanup);
  }

  /**
   * Starts a gateway for one row, and a client of it.
   *
   * @param {Parameters<typeof startGateway>[2]} [settings]
   */
  async gateway(settings) {
    const gateway = await startGateway(this.model.url, this.cleanup, settings);
    const client = new MessagesClient(gateway.url);
    this.#clients.push(client);
    const stop = async () => {
      client.close();
      await gateway.stop();
    };
    return { ...gateway, client, stop };
  }

  /**
   * @param {MessagesClient} client
   * @param {import('./gateway-conversation.js').Message[]} [history]
   */
  gatewayConversation(client, history) {
    return new GatewayConversation(this.model, client, history);
  }

  bareConversation() {
    this.cleanup.assertOpen();
    const conversation = new BareConversation(this.model, this.sdk);
    const end = this.cleanup.add(() => conversation.end());
    return { conversation, end };
  }

  /** Waits until the machine is as quiet as it gets. */
  async settle() {
    this.busy.push(await settle());
  }

  /**
   * How often the model was called for each turn of a client, over the whole run.
   *
   * @returns {import('./results.js').Figures | undefined}
   */
  modelCalls() {
    const turns = this.#clients.reduce((sum, client) => sum + client.turns, 0);
    if (turns === 0) return undefined;
    const calls = this.model.calls('gateway');
    const figures = [
      { label: `(${calls} calls, ${turns} turns)`, value: calls / turns, unit: '', atLeast: 1, atMost: 1 },
    ];
    if (this.sdk.turns > 0) {
      const bare = this.model.calls('bare');
      const label = `of the bare SDK (${bare} calls, ${this.sdk.turns} turns)`;
      figures.push({ label, value: bare / this.sdk.turns, unit: '', atLeast: 1, atMost: 1 });
    }
    return { kind: 'figures', name: 'model calls per client turn', figures };
  }
}
