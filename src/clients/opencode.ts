import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CLIENT_KEY, type Client, type ClientApi, type ClientModel, type LaunchTarget } from './client.ts';

/** What OpenCode calls the provider that speaks an API, and the package that it speaks it with. */
const PROVIDERS: Readonly<Record<ClientApi, { id: string; npm: string }>> = {
  messages: { id: 'anthropic', npm: '@ai-sdk/anthropic' },
  chat: { id: 'openai-compatible', npm: '@ai-sdk/openai-compatible' },
  responses: { id: 'openai', npm: '@ai-sdk/openai' },
};
const PLUGIN_FILE = 'opencode-plugin.js';

/** `OPENCODE_CONFIG_CONTENT` wins over the files of the user and of the project; `OPENCODE_CONFIG` loses to the project's. */
export const openCode: Client = {
  name: 'opencode',
  title: 'OpenCode',
  // A plugin, which its user's configuration of OpenCode names; it has no program that asks a model by itself.
  aliases: ['oh-my-opencode'],
  programs: ['opencode'],
  versionArgs: ['--version'],
  install: 'npm install --global opencode-ai',
  apis: ['messages', 'chat', 'responses'],
  route: 'OPENCODE_CONFIG_CONTENT',
  launch: (target) => ({
    args: target.args,
    environment: { OPENCODE_CONFIG_CONTENT: JSON.stringify(configurationOf(target)) },
    files: { [PLUGIN_FILE]: pluginFor(target) },
  }),
};

/** OpenCode merges its configurations key by key, so each key with which a user can lead requests elsewhere is named here. */
function configurationOf({ url, api, models, model, smallModel, folder }: LaunchTarget): object {
  const baseURL = `${url}/v1`;
  const { id: provider, npm } = PROVIDERS[api];
  return {
    model: `${provider}/${model.id}`,
    small_model: `${provider}/${smallModel.id}`,
    enabled_providers: [provider],
    disabled_providers: [],
    plugin: [pathToFileURL(join(folder, PLUGIN_FILE)).href],
    provider: {
      [provider]: {
        npm,
        api: baseURL,
        // With a key and a token it refuses to begin.
        options: { baseURL, apiKey: CLIENT_KEY, ...(api === 'messages' ? { authToken: null } : {}) },
        whitelist: models.map(({ id }) => id),
        blacklist: [],
        models: Object.fromEntries(models.map((offered) => [offered.id, modelEntry(offered, { npm, api: baseURL })])),
      },
    },
  };
}

/** What OpenCode may not know of a newer model is said of each: all of them read images and documents, think and call tools. */
function modelEntry({ title, contextWindow, maxTokens }: ClientModel, provider: object): object {
  return {
    name: title,
    attachment: true,
    reasoning: true,
    tool_call: true,
    modalities: { input: ['text', 'image', 'pdf'], output: ['text'] },
    ...(contextWindow !== undefined && maxTokens !== undefined
      ? { limit: { context: contextWindow, output: maxTokens } }
      : {}),
    provider,
  };
}

/**
 * A plugin that comes behind the user's. Agents and commands, which the user or another plugin has given a model that the gateway does
 * not have, ask the usual one, so that they do not fail. And every model of Anthropic's can be asked, also one that the gateway takes
 * and does not list: a configuration can only replace a user's whitelist, a plugin can drop it.
 */
function pluginFor({ api, models, model, smallModel }: LaunchTarget): string {
  const { id } = PROVIDERS[api];
  const said = JSON.stringify({
    provider: id,
    offered: models.map((offered) => `${id}/${offered.id}`),
    family: `${id}/${api === 'messages' ? '' : 'claude-'}`,
    usual: `${id}/${model.id}`,
    small: `${id}/${smallModel.id}`,
  });
  return `const { provider: id, offered, family, usual, small } = ${said};
const smallOnes = ["title", "summary", "compaction"];

export const Isthmus = async () => ({
  config: async ({ agent = {}, command = {}, provider }) => {
    ${api === 'messages' ? 'delete provider[id].whitelist;' : ''}
    for (const [name, entry] of [...Object.entries(agent), ...Object.entries(command)]) {
      if (!entry?.model || entry.model.startsWith(family) || offered.includes(entry.model)) continue;
      entry.model = smallOnes.includes(name) ? small : usual;
    }
  },
});
`;
}
