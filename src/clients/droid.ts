import { join } from 'node:path';
import { CLIENT_KEY, type Client, type ClientModel } from './client.ts';
import { keepFlag } from './own-flag.ts';

const SETTINGS_FILE = 'droid-settings.json';

/** Droid merges the settings of `--settings` over its user's and the project's. */
export const droid: Client = {
  name: 'droid',
  title: 'Droid',
  programs: ['droid'],
  versionArgs: ['--version'],
  install: 'npm install --global droid',
  route: '--settings',
  launch({ url, models, model, args, folder }) {
    keepFlag('--settings', 'Droid', args, 'Put yours into .factory/settings.local.json.');
    return {
      args: ['--settings', join(folder, SETTINGS_FILE), ...args],
      environment: {},
      files: {
        [SETTINGS_FILE]: JSON.stringify({
          sessionDefaultSettings: { model: idOf(model), specModeModel: idOf(model) },
          customModels: models.map((offered) => modelEntry(offered, url)),
        }),
      },
    };
  },
};

function modelEntry(model: ClientModel, baseUrl: string): object {
  return {
    id: idOf(model),
    model: model.id,
    displayName: model.title,
    provider: 'anthropic',
    baseUrl,
    apiKey: CLIENT_KEY,
    maxOutputTokens: model.maxTokens,
    maxContextLimit: model.contextWindow,
  };
}

/** What Droid calls it: `custom:` tells its user's own models from Factory's. */
function idOf({ id }: ClientModel): string {
  return `custom:isthmus-${id}`;
}
