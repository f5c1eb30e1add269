import { join } from 'node:path';
import { CLIENT_KEY, type Client, type ClientApi, type LaunchTarget } from './client.ts';

const PROVIDER = 'isthmus';
/** What pi calls the APIs, and the path that it wants in front of theirs. */
const APIS: Readonly<Record<ClientApi, { api: string; path: string }>> = {
  messages: { api: 'anthropic-messages', path: '' },
  chat: { api: 'openai-completions', path: '/v1' },
  responses: { api: 'openai-responses', path: '/v1' },
};
const EXTENSION_FILE = 'pi-extension.js';

/** A provider of its own, which no file, sign-in or extension of the user leads elsewhere; an extension adds it. */
export const pi: Client = {
  name: 'pi',
  title: 'pi',
  programs: ['pi'],
  versionArgs: ['--version'],
  install: 'npm install --global @earendil-works/pi-coding-agent',
  apis: ['messages', 'chat', 'responses'],
  route: '--extension, --provider',
  launch: (target) => ({
    args: [
      ...['--extension', join(target.folder, EXTENSION_FILE), '--provider', PROVIDER, '--model', target.model.id],
      ...target.args,
    ],
    environment: {},
    files: { [EXTENSION_FILE]: extensionFor(target) },
  }),
};

/**
 * What pi knows of a model of Anthropic, such as how it thinks, goes for the gateway's; for one that it does not know yet, what it
 * knows of the one with the most similar id. A user may name the others that pi knows: a gateway does not list all that it takes.
 */
function extensionFor({ url, api, models }: LaunchTarget): string {
  const pointed = { api: APIS[api].api, baseUrl: `${url}${APIS[api].path}` };
  const offered = models.map(({ id, title, contextWindow, maxTokens }) => ({
    id,
    name: title,
    contextWindow,
    maxTokens,
  }));
  return `import { getBuiltinModels } from '@earendil-works/pi-ai/providers/all';

const offered = ${JSON.stringify(offered)};
const pointed = ${JSON.stringify(pointed)};
const known = getBuiltinModels('anthropic');

function alike(one, other) {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length += 1;
  return length - Math.abs(one.length - other.length) / 100;
}

function mostAlike(id) {
  return known.reduce((best, model) => (alike(model.id, id) > alike(best.id, id) ? model : best));
}

export default (pi) =>
  pi.registerProvider(${JSON.stringify(PROVIDER)}, {
    name: 'Isthmus',
    ...pointed,
    apiKey: ${JSON.stringify(CLIENT_KEY)},
    models: [
      ...offered.map((model) => ({ ...mostAlike(model.id), ...model })),
      ...known.filter(({ id }) => !offered.some((model) => model.id === id)),
    ].map((model) => ({ ...model, ...pointed })),
  });
`;
}
