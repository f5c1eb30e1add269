import { expect, test } from 'vitest';
import { CLIENTS } from './client-table.ts';
import { keepFlag } from './own-flag.ts';

const model = { id: 'claude-sonnet-5', title: 'Claude Sonnet 5' };
const offered = { url: 'http://127.0.0.1:4567', api: 'messages' as const, models: [model], model, smallModel: model };

test.each([
  ['cline', '--data-dir'],
  ['continue', '--config'],
  ['droid', '--settings'],
  ['codex', '--oss'],
  ['codex', '--remote'],
])('%s is not started with a %s of its user’s', (name, flag) => {
  const client = CLIENTS.find((one) => one.name === name);
  for (const args of [
    [flag, 'x'],
    ['first', `${flag}=x`],
  ]) {
    expect(() => client?.launch({ ...offered, args, environment: {}, folder: '/tmp/isthmus' })).toThrow(flag);
  }
});

test('other flags go through', () => {
  keepFlag('--config', 'Continue', ['--configuration', 'config', '-c'], 'Leave it out.');
});
