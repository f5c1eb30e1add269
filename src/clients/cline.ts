import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { CLIENT_KEY, type Client, type ClientApi } from './client.ts';
import { endDaemon } from './end-daemon.ts';
import { keepFlag } from './own-flag.ts';

/** What Cline calls the providers that speak them. */
const PROVIDERS: Readonly<Record<ClientApi, string>> = {
  messages: 'anthropic',
  chat: 'openai-compatible',
  responses: 'openai-native',
};
const PROVIDERS_FILE = 'cline-providers.json';
const HUB_FILE = 'cline-hub.json';

/**
 * Cline takes its providers from a file that a variable names, and everything else, its history too, from where it always is.
 * Its terminal starts a daemon, the hub, which would stay behind with these variables: it gets a place of its own, so that it is ended
 * and no other is.
 */
export const cline: Client = {
  name: 'cline',
  title: 'Cline',
  programs: ['cline'],
  versionArgs: ['--version'],
  install: 'npm install --global cline',
  apis: ['messages', 'chat', 'responses'],
  route: 'CLINE_PROVIDER_SETTINGS_PATH',
  launch({ url, api, model, args, folder }) {
    keepFlag('--data-dir', 'Cline', args, 'Leave it out: Isthmus changes none of your files.');
    const provider = PROVIDERS[api];
    const settings = { provider, apiKey: CLIENT_KEY, model: model.id, baseUrl: `${url}/v1` };
    return {
      args,
      environment: {
        CLINE_PROVIDER_SETTINGS_PATH: join(folder, PROVIDERS_FILE),
        // Conversations are held by Cline itself: a hub may be one that was started before, with other providers.
        CLINE_SESSION_BACKEND_MODE: 'local',
        CLINE_HUB_DISCOVERY_PATH: join(folder, HUB_FILE),
        CLINE_HUB_PORT: String(portFor(folder)),
        // Planned tasks stay with a hub of the user's.
        CLINE_CRON_DB_PATH: join(folder, 'cline-cron.db'),
      },
      files: {
        [PROVIDERS_FILE]: JSON.stringify({
          version: 1,
          lastUsedProvider: provider,
          modes: {},
          providers: { [provider]: { settings, updatedAt: new Date(0).toISOString(), tokenSource: 'manual' } },
        }),
      },
      afterwards: () => endDaemon(join(folder, HUB_FILE)),
    };
  },
};

/** One of the ports that nobody has a claim to; another one for each launch, since the folder's name is. */
function portFor(folder: string): number {
  return 49_152 + (createHash('sha256').update(folder).digest().readUInt16BE() % 16_384);
}
