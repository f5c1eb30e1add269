import { expect, test } from 'vitest';
import { claudeCode } from './claude-code.ts';
import type { LaunchTarget } from './client.ts';

const model = { id: 'claude-sonnet-5', title: 'Claude Sonnet 5' };
const target = (args: readonly string[]): LaunchTarget => ({
  ...{ url: 'http://127.0.0.1:4567', api: 'messages', models: [model], model, smallModel: model },
  ...{ args, environment: {}, folder: '/tmp/isthmus' },
});

test('clouds that its user has turned on are off, and a key of theirs is out of sight', () => {
  const { args, environment } = claudeCode.launch(target([]));
  const settings = JSON.parse(args[1] ?? '');
  for (const name of ['ANTHROPIC_API_KEY', 'CLAUDE_CODE_USE_BEDROCK', 'CLAUDE_CODE_USE_VERTEX']) {
    expect(settings.env[name]).toBe('');
    expect(name in environment && environment[name] === undefined).toBe(true);
  }
  expect(settings.apiKeyHelper).toBe('');
});

test.each([[['--settings', '{}']], [['-p', '--settings=x.json']]])(
  'a second --settings is refused, since Claude Code would take it alone: %j',
  (args) => expect(() => claudeCode.launch(target(args))).toThrow('.claude/settings.local.json'),
);
