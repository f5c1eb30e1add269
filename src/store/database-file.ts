import { join } from 'node:path';

/** Where the database of a user's gateways lies; they share it. */
export function databaseFile(stateFolder: string): string {
  return join(stateFolder, 'isthmus.db');
}
