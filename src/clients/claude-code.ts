import { PROVIDERS } from '../engine/environment/providers.ts';
import { CLIENT_KEY, type Client, ClientError } from './client.ts';

/** Claude Code takes the variables of its settings before its environment's, and those of `--settings` before all others. */
export const claudeCode: Client = {
  name: 'claude-code',
  title: 'Claude Code',
  aliases: ['claude'],
  programs: ['claude'],
  versionArgs: ['--version'],
  install: 'npm install --global @anthropic-ai/claude-code',
  apis: ['messages'],
  route: '--settings, ANTHROPIC_AUTH_TOKEN',
  launch({ url, args }) {
    if (args.some((arg) => arg === '--settings' || arg.startsWith('--settings='))) {
      throw new ClientError(
        'Claude Code takes --settings once, and Isthmus needs it to reach Claude Code. Put yours into .claude/settings.local.json.',
      );
    }
    const pointed = { ANTHROPIC_BASE_URL: url, ANTHROPIC_AUTH_TOKEN: CLIENT_KEY };
    const off = ['ANTHROPIC_API_KEY', ...Object.values(PROVIDERS).map((provider) => provider.switch)];
    const settings = {
      // With a key of its own it would send that, too.
      apiKeyHelper: '',
      env: { ...pointed, ...Object.fromEntries(off.map((name) => [name, ''])) },
    };
    return {
      args: ['--settings', JSON.stringify(settings), ...args],
      environment: { ...pointed, ...Object.fromEntries(off.map((name) => [name, undefined])) },
    };
  },
};
