import { join } from 'node:path';
import { CLIENT_KEY, type Client, type ClientModel, type LaunchTarget } from './client.ts';
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
  apis: ['messages', 'chat'],
  route: '--config',
  launch({ url, api, models, model, args, folder }) {
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
          models: [model, ...others].map((offered) => modelEntry(offered, { url, api })),
        }),
      },
    };
  },
};

function modelEntry(
  { id, title, contextWindow, maxTokens }: ClientModel,
  { url, api }: Pick<LaunchTarget, 'url' | 'api'>,
): object {
  return {
    name: title,
    provider: api === 'messages' ? 'anthropic' : 'openai',
    model: id,
    apiBase: `${url}/v1/`,
    apiKey: CLIENT_KEY,
    roles: ['chat'],
    capabilities: ['tool_use', 'image_input'],
    defaultCompletionOptions: { contextLength: contextWindow, maxTokens },
  };
}
