import { expect, test } from 'vitest';
import { STEERS } from './environment.ts';
import { flagSettings, unnamedSecrets } from './flag-settings.ts';

const namedFor = (variables: Record<string, string>) => flagSettings({ isLogin: true }, variables).env ?? {};

test.each([
  ['ANTHROPIC_CUSTOM_HEADERS', 'X-Key: secret'],
  ['ANTHROPIC_CUSTOM_HEADERS', 'X_Key: secret'],
  ['ANTHROPIC_CUSTOM_HEADERS', 'X-Key: secret\nisthmus-via: 0123456789abcdef'],
  ['HTTPS_PROXY', 'http://user:secret@proxy:8080'],
  ['HTTPS_PROXY', 'http://user@proxy:8080'],
  ['HTTPS_PROXY', 'user:secret@proxy:8080'],
  ['ANTHROPIC_BASE_URL', 'https://user:secret@api.example.test'],
  ['ALL_PROXY', '127.0.0.1:8080'],
  ['CLAUDE_CODE_CLIENT_KEY_PASSPHRASE', 'secret'],
])('with a login, %s=%s is not written into the settings', (name, value) => {
  expect(namedFor({ [name]: value })).not.toHaveProperty(name);
});

test.each([
  ['ANTHROPIC_CUSTOM_HEADERS', 'isthmus-via: 0123456789abcdef'],
  ['HTTPS_PROXY', 'http://proxy:8080'],
  ['ALL_PROXY', 'socks5://proxy:1080'],
  ['ANTHROPIC_BASE_URL', 'https://api.example.test'],
])('with a login, %s=%s is named', (name, value) => {
  expect(namedFor({ [name]: value })).toMatchObject({ [name]: value });
});

test('with a login, what the operator has not set is named as empty', () => {
  expect(namedFor({})).toMatchObject({
    ANTHROPIC_API_KEY: '',
    ANTHROPIC_BASE_URL: '',
    ANTHROPIC_CUSTOM_HEADERS: '',
    HTTPS_PROXY: '',
  });
});

test.each(STEERS)(
  'with a login, %s is named: as empty if it is not set, and else unless its value is a secret',
  (name) => {
    expect(namedFor({})).toHaveProperty(name, '');
    const set = { [name]: 'a value' };
    if (unnamedSecrets(set).includes(name)) expect(namedFor(set)).not.toHaveProperty(name);
    else expect(namedFor(set)).toHaveProperty(name, 'a value');
  },
);
