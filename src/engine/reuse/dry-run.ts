import { randomUUID } from 'node:crypto';
import { within } from '../../async/within.ts';
import type { Message } from '../../spec/messages.ts';
import { ToolNames } from '../parameters/tool-names.ts';
import type { AskedProcess } from '../questions/ask-process.ts';
import { toHistoryLine } from './history-lines.ts';
import { InputReceipts } from './input-receipts.ts';
import { rewind } from './rewind.ts';

/** How long it may take, in milliseconds. */
const DRY_RUN_MS = 5_000;

const HISTORY: Message[] = [
  { role: 'user', content: [{ type: 'text', text: 'x' }] },
  { role: 'assistant', content: [{ type: 'text', text: 'y' }] },
];

/**
 * Whether this binary takes a history and gives it up again, which its documentation does not say: see docs/decisions/0010. It
 * reaches nobody, and the process is of no other use afterwards.
 */
export async function canReuse({ query, input }: Pick<AskedProcess, 'query' | 'input'>): Promise<boolean> {
  const receipts = new InputReceipts();
  const hearing = (async () => {
    for (let next = await query.next(); !next.done; next = await query.next()) receipts.hear(next.value);
  })();
  hearing.catch(() => undefined);
  const load = async () => {
    const uuids = HISTORY.map(() => randomUUID());
    for (const [at, message] of HISTORY.entries()) {
      const uuid = uuids[at] as string;
      const taken = receipts.taken(uuid);
      input.push(toHistoryLine(message, 'none', new ToolNames([]), uuid));
      await taken;
    }
    return uuids[0] as string;
  };
  const forget = (target: string) => rewind(query, { target, lastSeen: target, behind: null });
  try {
    const first = await within(load(), DRY_RUN_MS);
    await forget(first);
    // What is gone cannot go again.
    return await forget(first).then(
      () => false,
      () => true,
    );
  } catch {
    return false;
  }
}
