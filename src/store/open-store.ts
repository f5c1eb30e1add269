import type { ExpansionStore } from '../spec/expansion-store.ts';
import { databaseFile } from './database-file.ts';
import { DatabaseStore, type DatabaseStoreOptions } from './database-store.ts';

/**
 * The store in the state folder. Returns at once: the database is loaded and opened in the background.
 *
 * @param folder the state folder; made if it is not there
 */
export function openStore(folder: string, options: Omit<DatabaseStoreOptions, 'open'>): ExpansionStore {
  const file = databaseFile(folder);
  const open = async () => (await import('./database.ts')).openDatabase(file);
  return new DatabaseStore({ ...options, open });
}
