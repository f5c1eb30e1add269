import { type FoundClient, findClients } from '../clients/found-clients.ts';
import { isSetUp } from '../setup/plan-setup.ts';
import type { RunCommand } from './command.ts';
import { print } from './print.ts';
import { table } from './text-table.ts';

/** `isthmus clients`: which clients are on this machine, and how each is pointed at Isthmus. */
export const run: RunCommand = async ({ environment }) => {
  const found = await findClients(environment, async ({ name }) => isSetUp(name, environment));
  print(table([['client', 'version', 'set up', 'launched by', 'program'], ...found.map(rowOf)]));
};

function rowOf({ client, program, version, isSetUp }: FoundClient): string[] {
  const setUp = isSetUp === undefined ? '-' : isSetUp ? 'yes' : 'no';
  if (program === undefined) return [client.name, '-', setUp, client.route, `not found; ${client.install}`];
  return [client.name, version ?? 'unknown', setUp, client.route, program];
}
