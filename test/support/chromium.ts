import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { isExecutable } from '../../src/engine/environment/executable.ts';
import type { JsonObject } from '../../src/spec/messages.ts';

/** The browser of Debian's package `chromium`; undefined where it is not on PATH. */
export const CHROMIUM = (process.env.PATH ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'chromium'))
  .find(isExecutable);

const FLAGS = ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'];

/** A browser without a window, with a profile of its own. It is spoken to over a pipe, for which Node needs no package. */
export class Chromium {
  readonly #profile = mkdtempSync(join(tmpdir(), 'isthmus-chromium-'));
  readonly #process: ChildProcess;
  readonly #gone: Promise<unknown>;
  readonly #waiting = new Map<number, { resolve: (result: JsonObject) => void; reject: (error: Error) => void }>();
  #latest = 0;

  private constructor() {
    const flags = [...FLAGS, '--remote-debugging-pipe', `--user-data-dir=${this.#profile}`];
    this.#process = spawn(CHROMIUM ?? '', flags, {
      env: { PATH: process.env.PATH, HOME: this.#profile },
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#gone = once(this.#process, 'exit');
    void this.#gone.then(() => {
      for (const { reject } of this.#waiting.values()) reject(new Error('Chromium has ended.'));
    });
    void this.#listen(this.#process.stdio[4] as Readable);
  }

  static start(): Chromium {
    return new Chromium();
  }

  /** A new page at an address. */
  async open(url: string): Promise<BrowserPage> {
    const { targetId } = await this.#call('Target.createTarget', { url });
    const { sessionId } = await this.#call('Target.attachToTarget', { targetId, flatten: true });
    return new BrowserPage((method, params) => this.#call(method, params, String(sessionId)));
  }

  /** Ends it with all that it has started, and removes its profile. */
  async close(): Promise<void> {
    process.kill(-Number(this.#process.pid), 'SIGKILL');
    await this.#gone;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  #call(method: string, params: JsonObject, sessionId?: string): Promise<JsonObject> {
    this.#latest += 1;
    const id = this.#latest;
    (this.#process.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  async #listen(output: Readable): Promise<void> {
    let rest = '';
    for await (const part of output.setEncoding('utf8')) {
      const messages = `${rest}${part}`.split('\0');
      rest = messages.pop() ?? '';
      for (const { id, result, error } of messages.map((message) => JSON.parse(message))) {
        if (error) this.#waiting.get(id)?.reject(new Error(error.message));
        else this.#waiting.get(id)?.resolve(result);
        this.#waiting.delete(id);
      }
    }
  }
}

/** One page of a browser. */
export class BrowserPage {
  readonly #call: (method: string, params: JsonObject) => Promise<JsonObject>;

  constructor(call: (method: string, params: JsonObject) => Promise<JsonObject>) {
    this.#call = call;
  }

  /**
   * The value of an expression in the page, once it is there.
   *
   * @throws Error what the page throws
   */
  async evaluate<Value>(expression: string): Promise<Value> {
    const params = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await this.#call('Runtime.evaluate', params);
    if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
    return (result as { value: Value }).value;
  }

  /** Types a text where the focus is, and presses Enter. */
  async type(text: string): Promise<void> {
    await this.#call('Input.insertText', { text });
    const key = { key: 'Enter', code: 'Enter', windowsVirtualKeyCode: 13, text: '\r' };
    await this.#call('Input.dispatchKeyEvent', { type: 'keyDown', ...key });
    await this.#call('Input.dispatchKeyEvent', { type: 'keyUp', ...key });
  }

  async reload(): Promise<void> {
    await this.#call('Page.reload', {});
  }
}
