import { type Client, type ClientApi, ClientError } from '../clients/client.ts';
import { CLIENTS, clientNamed } from '../clients/client-table.ts';
import { programOf } from '../clients/find-client.ts';
import { similar } from '../config/similar.ts';
import type { RunCommand } from './command.ts';
import { CommandError } from './command-error.ts';
import { print } from './print.ts';
import { table } from './text-table.ts';

/** `isthmus launch`: runs a client that asks Isthmus, whatever its own settings say. */
export const run: RunCommand = async (call) => {
  const { words, rest, flags, environment } = call;
  const [word, ...others] = words;
  if (word === undefined) return print(listing(environment));
  const client = chosenClient(word);
  if (others.length > 0)
    throw new CommandError(
      `What ${client.title} is to get stands behind --: isthmus launch ${word} -- ${others.join(' ')}`,
    );
  const api = chosenApi(client, flags.api);
  const program = programOf(client, environment);
  if (program === undefined)
    throw new CommandError(
      `${client.title} is not installed: there is no ${client.programs.join(' or ')} on PATH. Install it: ${client.install}`,
    );
  // Only now: it loads all that a gateway needs.
  const [{ launchClient }, { namedConfigFile }] = await Promise.all([
    import('../launch/launch-client.ts'),
    import('../config/settings.ts'),
  ]);
  const settings = await call.settings();
  const say = (line: string) => process.stderr.write(`isthmus: ${line}\n`);
  try {
    const configFile = namedConfigFile(call);
    process.exit(await launchClient({ client, api, program, args: rest, settings, environment, configFile, say }));
  } catch (error) {
    if (error instanceof ClientError) throw new CommandError(error.message);
    throw error;
  }
};

function chosenClient(word: string): Client {
  const client = clientNamed(word);
  if (client) return client;
  const words = CLIENTS.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
  const meant = similar(word, words);
  const names = CLIENTS.map(({ name }) => name).join(', ');
  throw new CommandError(
    `There is no client ${JSON.stringify(word)}${meant ? `. Did you mean ${meant}?` : `; there are ${names}. For others: isthmus env`}`,
  );
}

function chosenApi({ title, apis }: Client, word: string | undefined): ClientApi {
  if (word === undefined) return apis[0];
  const api = apis.find((one) => one === word);
  if (api) return api;
  throw new CommandError(`--api ${word}: ${title} can be launched with ${apis.join(' or ')}.`);
}

function listing(environment: NodeJS.ProcessEnv): string[] {
  return [
    'isthmus launch <client> runs one of these, pointed at Isthmus; its own arguments go behind --',
    '',
    ...table(
      CLIENTS.map((client) => [
        `  ${client.name}`,
        client.title,
        programOf(client, environment) ?? `not installed: ${client.install}`,
      ]),
    ),
  ];
}
