import { databaseFile } from './database-file.ts';
import { DatabaseStore, type DatabaseStoreOptions } from './database-store.ts';
import { TableThread } from './table-thread.ts';

/**
 * The store in the state folder. A thread opens the database at the first use, or ahead of it at `find([])`.
 *
 * @param folder the state folder; made if it is not there
 */
export function openStore(folder: string, options: Omit<DatabaseStoreOptions, 'open'>): DatabaseStore {
  const file = databaseFile(folder);
  return new DatabaseStore({ ...options, open: () => TableThread.open(file) });
}
