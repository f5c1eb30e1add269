import { expect, test, vi } from 'vitest';
import { startScriptedModel } from '../../scripted-model/testing.ts';
import { createGateway } from '../../src/boot/create-gateway.ts';
import { answerOfWalk, walk } from '../../src/cli/demo-walk.ts';
import { signIn, surroundings } from '../support/gateway.ts';

test('the demo’s walk is right with a login, too', async () => {
  const model = await startScriptedModel({ script: [answerOfWalk] });
  const printed: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
  const { home, env, remove } = surroundings(model.url);
  const gateway = await createGateway({ port: 0, environment: { ...env, ...signIn(home) } });
  try {
    expect(gateway.credential).toBe('claude login (Claude Max)');
    expect(await walk(gateway, model), printed.join('')).toBe(true);
  } finally {
    vi.restoreAllMocks();
    await gateway.stop(0);
    await model.close();
    remove();
  }
});
