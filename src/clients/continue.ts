import { join } from 'node:path';
import { CLIENT_KEY, type Client, type ClientModel } from './client.ts';
import { keepFlag } from './own-flag.ts';

const CONFIGURATION_FILE = 'continue.yaml';

/** Continue takes the configuration of `--config` in place of its user's. */
export const continueCli: Client = {
  name: 'continue',
  title: 'Continue',
  aliases: ['cn'],
  programs: ['cn'],
  versionArgs: ['--version'],
  install: 'npm install --global @continuedev/cli',
  route: '--config',
  launch({ url, models, model, args, folder }) {
    keepFlag('--config', 'Continue', args, 'Leave it out.');
    // It begins with the first one.
    const others = models.filter(({ id }) => id !== model.id);
    return {
      args: ['--config', join(folder, CONFIGURATION_FILE), ...args],
      environment: {},
      files: {
        // JSON is YAML, too.
        [CONFIGURATION_FILE]: JSON.stringify({
          name: 'Isthmus',
          version: '1.0.0',
          schema: 'v1',
          models: [model, ...others].map((offered) => modelEntry(offered, url)),
        }),
      },
    };
  },
};

function modelEntry({ id, title, contextWindow, maxTokens }: ClientModel, url: string): object {
  return {
    name: title,
    provider: 'anthropic',
    model: id,
    apiBase: `${url}/v1/`,
    apiKey: CLIENT_KEY,
    roles: ['chat'],
    capabilities: ['tool_use', 'image_input'],
    defaultCompletionOptions: { contextLength: contextWindow, maxTokens },
  };
}
