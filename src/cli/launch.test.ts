import { expect, test } from 'vitest';
import { CLIENTS } from '../clients/client-table.ts';
import { COMMANDS } from './command-table.ts';

test('the table of commands has the names of all clients, without loading them', () => {
  expect(COMMANDS.launch.words).toEqual(CLIENTS.map(({ name }) => name));
});
