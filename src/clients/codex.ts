import { CLIENT_KEY, type Client, type LaunchTarget } from './client.ts';
import { keepFlag } from './own-flag.ts';

const PROVIDER = 'isthmus';
/** No `.env` of Codex's can set a variable whose name begins so. */
const KEY_VARIABLE = 'CODEX_ISTHMUS_KEY';

/**
 * Values of `-c` win over every `config.toml`, with a profile or without, and lose to those that its user gives behind them, such as
 * another model. It speaks OpenAI's responses alone.
 */
export const codex: Client = {
  name: 'codex',
  title: 'Codex',
  programs: ['codex'],
  versionArgs: ['--version'],
  install: 'npm install --global @openai/codex',
  apis: ['responses'],
  route: '-c model_provider',
  launch(target) {
    for (const flag of ['--oss', '--remote']) keepFlag(flag, 'Codex', target.args, 'Leave it out.');
    return {
      args: [...Object.entries(valuesFor(target)).flatMap(([key, value]) => ['-c', `${key}=${value}`]), ...target.args],
      environment: { [KEY_VARIABLE]: CLIENT_KEY },
    };
  },
};

/** TOML, in which a string of JSON is a string. */
function valuesFor({ url, model }: LaunchTarget): Readonly<Record<string, string>> {
  const provider = { name: 'Isthmus', base_url: `${url}/v1`, wire_api: 'responses', env_key: KEY_VARIABLE };
  const fields = Object.entries(provider).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return {
    model_provider: JSON.stringify(PROVIDER),
    [`model_providers.${PROVIDER}`]: `{${fields.join(', ')}}`,
    model: JSON.stringify(model.id),
    review_model: JSON.stringify(model.id),
    // It knows no model of Anthropic's.
    ...(model.contextWindow === undefined ? {} : { model_context_window: String(model.contextWindow) }),
    // A tool that OpenAI runs itself.
    web_search: JSON.stringify('disabled'),
    // A server in the background would outlive the launch, and one that was started before has another environment.
    'features.daemon_auto_start': 'false',
  };
}
