import { isAbsolute } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ClientApi, LaunchTarget } from './client.ts';
import { CLIENTS, clientNamed } from './client-table.ts';

const URL = 'http://127.0.0.1:4567';

function target(api: ClientApi, args: readonly string[]): LaunchTarget {
  const model = { id: 'claude-sonnet-5', title: 'Claude Sonnet 5', contextWindow: 1_000_000, maxTokens: 128_000 };
  const smallModel = { id: 'claude-haiku-5-5', title: 'Claude Haiku 5.5' };
  return {
    url: URL,
    api,
    models: [model, smallModel],
    model,
    smallModel,
    args,
    environment: {},
    folder: '/tmp/isthmus',
  };
}

test('every word names one client', () => {
  const words = CLIENTS.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
  expect(new Set(words).size).toBe(words.length);
  for (const word of words) expect([clientNamed(word)?.name, ...(clientNamed(word)?.aliases ?? [])]).toContain(word);
  expect(clientNamed('nobody')).toBeUndefined();
});

describe.each(CLIENTS.flatMap((client) => client.apis.map((api) => ({ client, name: client.name, api }))))(
  '$name with $api',
  ({ client, api }) => {
    const { args, environment, files = {} } = client.launch(target(api, ['one', '--two=three', 'fo ur']));

    test('gets the user’s arguments as they are, in their order', () => {
      expect(args.filter((arg) => ['one', '--two=three', 'fo ur'].includes(arg))).toEqual([
        'one',
        '--two=three',
        'fo ur',
      ]);
    });
    test('is told the address of the gateway', () => {
      expect(JSON.stringify([args, environment, files])).toContain(URL);
    });
    test('its files are below the folder', () => {
      for (const name of Object.keys(files)) expect(isAbsolute(name) || name.includes('..')).toBe(false);
    });
  },
);
