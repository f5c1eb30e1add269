import { parentPort, workerData } from 'node:worker_threads';
import type { ExpansionRecord } from '../spec/expansion-store.ts';
import { DatabaseTable, FILE_REMOVED } from './database-table.ts';
import type { MethodCall, MethodReply, TableCall, TableReply } from './table-thread.ts';

/** The thread behind `table-thread`: it opens the table and answers calls. */

const reply = (message: TableReply, buffers: ArrayBuffer[] = []) => parentPort?.postMessage(message, buffers);

try {
  const table = await DatabaseTable.open(workerData.file);
  parentPort?.on('message', async (call: TableCall) => {
    const answer = call.method === 'close' ? undefined : await answerTo(table, call);
    if (answer && !table.hasEnded()) return reply(answer, buffersOf(answer));
    if (answer) reply({ hasEnded: FILE_REMOVED });
    await table.close();
    parentPort?.close();
  });
  reply({ isOpen: true });
} catch (error) {
  reply({ problem: wordsOf(error) });
}

async function answerTo(table: DatabaseTable, { id, method, parameters }: MethodCall): Promise<MethodReply> {
  try {
    // The other side has typed both.
    const result = await (table[method] as (...given: unknown[]) => Promise<unknown>)(...parameters);
    return { id, result };
  } catch (error) {
    return { id, problem: wordsOf(error) };
  }
}

/** Those of found expansions: they change hands uncopied. */
function buffersOf({ result }: MethodReply): ArrayBuffer[] {
  return Array.isArray(result) ? result.map(({ expansion }: ExpansionRecord) => expansion.buffer as ArrayBuffer) : [];
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
