import type { Client } from './client.ts';
import { CLIENTS } from './client-table.ts';
import { programOf, versionOf } from './find-client.ts';

/** A client as it is on this machine. */
export interface FoundClient {
  client: Client;
  /** Where its program is; undefined if it is not on PATH. */
  program: string | undefined;
  /** Undefined if it does not say one in time. */
  version: string | undefined;
  /** Whether its own settings point it at Isthmus; undefined if that is not known. */
  isSetUp: boolean | undefined;
}

/** Whether a client's own settings point it at Isthmus; undefined if that is not known. */
export type SetUpCheck = (client: Client) => Promise<boolean | undefined>;

/** Looks for every client at once, and waits for none that does not answer. */
export function findClients(
  environment: Readonly<Record<string, string | undefined>>,
  isSetUp: SetUpCheck,
): Promise<FoundClient[]> {
  return Promise.all(
    CLIENTS.map(async (client) => {
      const program = programOf(client, environment);
      const [version, setUp] = await Promise.all([
        program === undefined ? undefined : versionOf(client, program, environment),
        isSetUp(client),
      ]);
      return { client, program, version, isSetUp: setUp };
    }),
  );
}
