import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { ExpansionRecord } from '../spec/expansion-store.ts';
import type { ExpansionTable } from './expansion-table.ts';

type Method = 'write' | 'find' | 'turn' | 'sweep';

export interface MethodCall {
  id: number;
  method: Method;
  parameters: readonly unknown[];
}

export interface MethodReply {
  id: number;
  result?: unknown;
  problem?: string;
}

/** What the thread is asked for. */
export type TableCall = MethodCall | { method: 'close' };

/** What it answers: first whether it is open, then to each call, unless it ends by itself. */
export type TableReply = { isOpen: true } | { problem: string } | MethodReply | { hasEnded: string };

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** A table on a thread of its own. The database blocks that thread, and what it needs is loaded there. */
export class TableThread implements ExpansionTable {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #calls = 0;
  #hasEnded = false;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', ({ id, result, problem, hasEnded }) => {
      if (hasEnded) this.#ended(hasEnded);
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (this.#waiting.size === 0) worker.unref();
      if (problem === undefined) waiting?.resolve(result);
      else waiting?.reject(new Error(problem));
    });
    worker.on('error', (error) => this.#ended(error.message));
    worker.on('exit', () => this.#ended('The thread of the database has ended.'));
  }

  /** @throws Error whose message says why the database cannot be used */
  static async open(file: string): Promise<TableThread> {
    const worker = new Worker(new URL('./table-worker.js', import.meta.url), { workerData: { file } });
    // Rejects when the thread cannot even load, as when a package is missing.
    const [{ problem }] = await once(worker, 'message');
    if (problem !== undefined) {
      await worker.terminate();
      throw new Error(problem);
    }
    // A program that waits for nothing here may end.
    worker.unref();
    return new TableThread(worker);
  }

  async write(records: readonly ExpansionRecord[]): Promise<void> {
    await this.#call('write', records);
  }

  async find(lineages: readonly string[], since: number): Promise<ExpansionRecord[]> {
    return (await this.#call('find', lineages, since)) as ExpansionRecord[];
  }

  async turn(id: string, caller: string, since: number): Promise<ExpansionRecord | undefined> {
    return (await this.#call('turn', id, caller, since)) as ExpansionRecord | undefined;
  }

  async sweep(since: number, maxBytes: number): Promise<void> {
    await this.#call('sweep', since, maxBytes);
  }

  hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Behind what it has been asked before. */
  async close(): Promise<void> {
    if (this.#hasEnded) return;
    const ended = once(this.#worker, 'exit');
    this.#worker.ref();
    this.#post({ method: 'close' });
    await ended;
  }

  #call(method: Method, ...parameters: unknown[]): Promise<unknown> {
    if (this.#hasEnded) return Promise.reject(new Error('The database is closed.'));
    this.#calls += 1;
    const id = this.#calls;
    this.#worker.ref();
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#post({ id, method, parameters });
    });
  }

  #post(call: TableCall): void {
    this.#worker.postMessage(call);
  }

  #ended(why: string): void {
    this.#hasEnded = true;
    for (const { reject } of this.#waiting.values()) reject(new Error(why));
    this.#waiting.clear();
  }
}
