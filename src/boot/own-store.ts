import type { Settings } from '../config/settings.ts';
import { stateFolder } from '../config/state-folder.ts';
import type { ExpansionStore } from '../spec/expansion-store.ts';
import { MemoryStore } from '../store/memory-store.ts';
import { openStore } from '../store/open-store.ts';
import type { Log } from '../telemetry/log.ts';

const DAY_MS = 86_400_000;
const MEGABYTE = 1024 * 1024;
/** How much is kept in memory of what is not on disk, in bytes. */
const MEMORY_BYTES = 64 * MEGABYTE;

/**
 * The store of what agents do: in the state folder, or in memory alone where the operator wants that, or has no home.
 *
 * @param operator the environment of the operator
 */
export function ownStore(
  settings: Pick<Settings, 'noStore' | 'storeDays' | 'storeMb'>,
  operator: Readonly<Record<string, string | undefined>>,
  log: Log,
): ExpansionStore {
  const maxAgeMs = settings.storeDays * DAY_MS;
  const folder = settings.noStore ? undefined : stateFolder(operator);
  if (folder === undefined) return new MemoryStore({ maxAgeMs, maxBytes: MEMORY_BYTES });
  return openStore(folder, {
    limits: { maxAgeMs, maxBytes: settings.storeMb * MEGABYTE },
    memoryBytes: MEMORY_BYTES,
    onChange: (problem) => (problem === undefined ? log('store works') : log('store fails', { problem }, 'warn')),
  });
}
