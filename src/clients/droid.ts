import { join } from 'node:path';
import { CLIENT_KEY, type Client, type ClientApi, type ClientModel, type LaunchTarget } from './client.ts';
import { keepFlag } from './own-flag.ts';

/** What Droid calls the providers that speak them, and the path that it wants in front of theirs. */
const PROVIDERS: Readonly<Record<ClientApi, { provider: string; path: string }>> = {
  messages: { provider: 'anthropic', path: '' },
  chat: { provider: 'generic-chat-completion-api', path: '/v1' },
  responses: { provider: 'openai', path: '/v1' },
};
const SETTINGS_FILE = 'droid-settings.json';

/** Droid merges the settings of `--settings` over its user's and the project's. */
export const droid: Client = {
  name: 'droid',
  title: 'Droid',
  programs: ['droid'],
  versionArgs: ['--version'],
  install: 'npm install --global droid',
  apis: ['messages', 'chat', 'responses'],
  route: '--settings',
  launch({ url, api, models, model, args, folder }) {
    keepFlag('--settings', 'Droid', args, 'Put yours into .factory/settings.local.json.');
    return {
      args: ['--settings', join(folder, SETTINGS_FILE), ...args],
      environment: {},
      files: {
        [SETTINGS_FILE]: JSON.stringify({
          sessionDefaultSettings: { model: idOf(model), specModeModel: idOf(model) },
          customModels: models.map((offered) => modelEntry(offered, { url, api })),
        }),
      },
    };
  },
};

function modelEntry(model: ClientModel, { url, api }: Pick<LaunchTarget, 'url' | 'api'>): object {
  const { provider, path } = PROVIDERS[api];
  return {
    id: idOf(model),
    model: model.id,
    displayName: model.title,
    provider,
    baseUrl: `${url}${path}`,
    apiKey: CLIENT_KEY,
    maxOutputTokens: model.maxTokens,
    maxContextLimit: model.contextWindow,
  };
}

/** What Droid calls it: `custom:` tells its user's own models from Factory's. */
function idOf({ id }: ClientModel): string {
  return `custom:isthmus-${id}`;
}
