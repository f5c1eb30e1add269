import { expect, test } from 'vitest';
import { isAllowedOrigin } from './allowed-origins.ts';

const ALLOWED = ['https://chat.example', 'http://localhost:5173', 'vscode-webview://*'];

test.each(['https://chat.example', 'HTTPS://Chat.Example', 'http://localhost:5173', 'vscode-webview://1a2b3c'])(
  'a page of %s may use the gateway',
  (origin) => {
    expect(isAllowedOrigin(origin, ALLOWED)).toBe(true);
  },
);

test.each([
  'http://chat.example',
  'https://chat.example:8443',
  'https://chat.example.evil.example',
  'https://evil.chat.example',
  'http://localhost:5174',
  'vscode-webview://',
  'vscode-webview:',
  'vscode-webview-2://1a2b3c',
  'https://evil.example/vscode-webview://x',
  'null',
  '*',
  '',
])('a page of %j may not', (origin) => {
  expect(isAllowedOrigin(origin, ALLOWED)).toBe(false);
});
