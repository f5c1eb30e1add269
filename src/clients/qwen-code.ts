import { join } from 'node:path';
import { CLIENT_KEY, type Client, type ClientApi } from './client.ts';

/** How Qwen Code signs in to a server that speaks an API: the word, its variables' prefix, the path in front, and a model's own word. */
const APIS: Readonly<Record<ClientApi, { type: string; prefix: string; path: string; wire?: { wireApi: string } }>> = {
  messages: { type: 'anthropic', prefix: 'ANTHROPIC', path: '' },
  chat: { type: 'openai', prefix: 'OPENAI', path: '/v1' },
  responses: { type: 'openai', prefix: 'OPENAI', path: '/v1', wire: { wireApi: 'responses' } },
};
const SETTINGS_FILE = 'qwen-settings.json';

/**
 * Qwen Code takes its address from the environment, unless its user's `modelProviders` has one for the model. The system's settings
 * replace that, and a variable says where they lie.
 */
export const qwenCode: Client = {
  name: 'qwen-code',
  title: 'Qwen Code',
  aliases: ['qwen'],
  programs: ['qwen'],
  versionArgs: ['--version'],
  install: 'npm install --global @qwen-code/qwen-code',
  apis: ['messages', 'chat', 'responses'],
  route: '--auth-type, QWEN_CODE_SYSTEM_SETTINGS_PATH',
  launch({ url, api, models, model, args, folder }) {
    const { type, prefix, path, wire } = APIS[api];
    const baseUrl = `${url}${path}`;
    return {
      args: ['--auth-type', type, ...args],
      environment: {
        [`${prefix}_BASE_URL`]: baseUrl,
        [`${prefix}_API_KEY`]: CLIENT_KEY,
        [`${prefix}_MODEL`]: model.id,
        QWEN_CODE_SYSTEM_SETTINGS_PATH: join(folder, SETTINGS_FILE),
      },
      files: {
        [SETTINGS_FILE]: JSON.stringify({
          security: { auth: { selectedType: type } },
          model: { name: model.id },
          modelProviders: {
            [type]: models.map(({ id, title, contextWindow }) => ({
              ...{ id, name: title, baseUrl, envKey: `${prefix}_API_KEY`, ...wire },
              ...(contextWindow === undefined ? {} : { generationConfig: { contextWindowSize: contextWindow } }),
            })),
          },
        }),
      },
    };
  },
};
