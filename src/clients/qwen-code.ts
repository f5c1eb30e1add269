import { join } from 'node:path';
import { CLIENT_KEY, type Client } from './client.ts';

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
  route: '--auth-type, QWEN_CODE_SYSTEM_SETTINGS_PATH',
  launch: ({ url, models, model, args, folder }) => ({
    args: ['--auth-type', 'anthropic', ...args],
    environment: {
      ANTHROPIC_BASE_URL: url,
      ANTHROPIC_API_KEY: CLIENT_KEY,
      ANTHROPIC_MODEL: model.id,
      QWEN_CODE_SYSTEM_SETTINGS_PATH: join(folder, SETTINGS_FILE),
    },
    files: {
      [SETTINGS_FILE]: JSON.stringify({
        security: { auth: { selectedType: 'anthropic' } },
        model: { name: model.id },
        modelProviders: {
          anthropic: models.map(({ id, title, contextWindow }) => ({
            id,
            name: title,
            baseUrl: url,
            envKey: 'ANTHROPIC_API_KEY',
            ...(contextWindow === undefined ? {} : { generationConfig: { contextWindowSize: contextWindow } }),
          })),
        },
      }),
    },
  }),
};
