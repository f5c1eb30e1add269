import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ownVersion } from '../boot/own-version.ts';
import { checkSettings } from '../config/check-settings.ts';
import { TESTED } from '../engine/environment/executable.ts';
import { apiAddress, leadsToItself, paysAtStart } from './api-address.ts';
import { agentsFindings, type SeenAgents } from './check-agents.ts';
import { binaryFindings, type SeenBinary } from './check-binary.ts';
import { certificateFindings, folderFindings, lookAtFile } from './check-certificates.ts';
import { claudeSettingsFindings, lookAtSettings } from './check-claude-settings.ts';
import { clientsFindings, lookAtClients } from './check-clients.ts';
import { clockFindings } from './check-clock.ts';
import { credentialFindings, payingNames } from './check-credential.ts';
import { diskFindings } from './check-disk.ts';
import { memoryFindings } from './check-memory.ts';
import { openFilesFindings } from './check-open-files.ts';
import { holderOf, portFindings, socketFindings } from './check-port.ts';
import { proxyFindings, proxyFor } from './check-proxy.ts';
import { reachFindings } from './check-reach.ts';
import { turnFindings } from './check-turn.ts';
import type { Finding } from './finding.ts';

const folder = mkdtempSync(join(tmpdir(), 'isthmus-doctor-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The levels and words of findings, as one text. */
const told = (findings: readonly Finding[]) =>
  findings.map(({ level, says, cure }) => `${level}: ${says}${cure ? ` → ${cure}` : ''}`).join('\n');

const MB = 1024 * 1024;

describe('binary', () => {
  const executable = { path: '/bin/claude', why: 'bundled' };
  const works = (version: string): SeenBinary => ({ kind: 'works', executable, version });
  test.each<[string, SeenBinary, string, RegExp]>([
    ['the tested one', works(TESTED.claudeCode), TESTED.sdk, /^ok: claude /],
    ['another Claude Code', works('9.0.0'), TESTED.sdk, /^warning: claude 9\.0\.0 is not the version .* → /],
    ['another SDK', works(TESTED.claudeCode), '9.0.0', /^warning: Agent SDK 9\.0\.0 is not the one/],
    ['none', { kind: 'missing', problem: 'No binary.' }, TESTED.sdk, /^problem: No binary\.$/],
    ['a broken one', { kind: 'broken', executable, how: 'exit code 1' }, TESTED.sdk, /^problem: .*\(exit code 1\)/],
  ])('%s', (_name, seen, sdk, expected) => {
    expect(told(binaryFindings(seen, sdk))).toMatch(expected);
  });
});

describe('credential', () => {
  test('what pays, and each warning of the boot', () => {
    const findings = credentialFindings({
      kind: 'booted',
      credential: 'claude login (Max)',
      mode: 'full',
      warnings: ['W.'],
    });
    expect(told(findings)).toBe('ok: Claude login (Max) pays, in Claude Code’s full mode.\nwarning: W.');
  });
  test('what the boot says, with the cure apart', () => {
    const findings = credentialFindings({ kind: 'not booted', problem: 'No credential found. Set X. Or Y.' });
    expect(told(findings)).toBe('problem: No credential found. → Set X. Or Y.');
  });
  test('names of variables where nobody was asked', () => {
    const operator = { ANTHROPIC_API_KEY: 'secret', CLAUDE_CODE_USE_BEDROCK: '1', CLAUDE_CODE_USE_VERTEX: '0' };
    const names = payingNames(operator);
    expect(names).toEqual(['CLAUDE_CODE_USE_BEDROCK', 'ANTHROPIC_API_KEY']);
    expect(told(credentialFindings({ kind: 'not asked', why: 'so', names }))).toMatch(
      /^note: .* set: CLAUDE_CODE_USE_BEDROCK,/,
    );
  });
  test.each([
    [{ CLAUDE_CODE_USE_BEDROCK: '1' }, true],
    [{ CLAUDE_CODE_USE_MANTLE: 'true' }, true],
    [{ CLAUDE_CODE_USE_BEDROCK: '1', CLAUDE_CODE_SKIP_BEDROCK_AUTH: '1' }, false],
    [{ CLAUDE_CODE_USE_VERTEX: '1' }, false],
    [{}, false],
  ])('each process that starts with %j makes paid calls: %s', (operator, expected) => {
    expect(paysAtStart(operator)).toBe(expected);
  });
});

describe('port', () => {
  const NOW = 1_800_000_000_000;
  const version = ownVersion();
  test.each<[string, Parameters<typeof portFindings>[0], RegExp]>([
    ['free', { kind: 'free' }, /^ok: Port 3456 on 127\.0\.0\.1 is free/],
    ['not for this user', { kind: 'refused', code: 'EACCES' }, /^problem: .*EACCES.* → .*--port 3456/],
    ['of no address', { kind: 'refused', code: 'EADDRNOTAVAIL' }, /^problem: .* → .*--host 127\.0\.0\.1/],
    [
      'a stranger’s',
      { kind: 'stranger', holder: { pid: 7, program: 'nginx' } },
      /^problem: .*not Isthmus: process 7, nginx\. → .*--port 3457/,
    ],
    ['an unknown stranger’s', { kind: 'stranger' }, /^problem: .*not Isthmus\. →/],
    [
      'an Isthmus’s',
      { kind: 'isthmus', health: { version, status: 'ok', startedAt: new Date(NOW - 3_700_000).toISOString() } },
      /^ok: Isthmus \S+ runs on http:\/\/127\.0\.0\.1:3456 for 1 hour 1 minute\.$/,
    ],
    [
      'an older Isthmus’s',
      { kind: 'isthmus', health: { version: '0.0.9', status: 'ok' } },
      /^warning: .*0\.0\.9.* → Stop/,
    ],
    [
      'a failing Isthmus’s',
      { kind: 'isthmus', health: { version, status: 'claude_failing' } },
      /^warning: .*claude_failing/,
    ],
    [
      'a starting Isthmus’s',
      { kind: 'isthmus', health: { status: 'starting_up' } },
      /^ok: Isthmus that is still starting/,
    ],
  ])('%s', (_name, seen, expected) => {
    expect(told(portFindings(seen, '127.0.0.1', 3456, NOW))).toMatch(expected);
  });

  test('a Unix socket', () => {
    const status = { url: 'http://localhost', isRunning: true, isReady: true, problems: [], health: { version } };
    expect(told(socketFindings(status, '/run/s'))).toMatch(/^ok: Isthmus \S+ listens on the socket \/run\/s\.$/);
    expect(told(socketFindings({ ...status, isReady: false }, '/run/s'))).toMatch(/^warning: .*takes no requests/);
    expect(told(socketFindings({ ...status, isRunning: false }, '/run/s'))).toMatch(/^ok: No Isthmus/);
  });

  test('its holder is found by /proc; not where that shows no files of it', () => {
    const root = join(folder, 'proc');
    mkdirSync(join(root, 'net'), { recursive: true });
    mkdirSync(join(root, '12', 'fd'), { recursive: true });
    const socket = (port: string, state: string, inode: number) =>
      `   0: 0100007F:${port} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0 100 0 0 10 0`;
    writeFileSync(join(root, 'net', 'tcp'), `head\n${socket('0D80', '01', 1)}\n${socket('0D80', '0A', 77)}\n`);
    writeFileSync(join(root, '12', 'comm'), 'python3\n');
    // A client on the same port number.
    mkdirSync(join(root, '11', 'fd'), { recursive: true });
    symlinkSync('socket:[1]', join(root, '11', 'fd', '3'));
    symlinkSync('socket:[77]', join(root, '12', 'fd', '3'));
    expect(holderOf(3456, root)).toEqual({ pid: 12, program: 'python3' });
    expect(holderOf(3457, root)).toBeUndefined();
    rmSync(join(root, '12', 'fd'), { recursive: true });
    expect(holderOf(3456, root)).toBeUndefined();
  });
});

describe('proxy', () => {
  const PROXY = 'http://someone:secret@proxy.corp:3128';
  test.each([
    ['none', {}, /^ok: No variable/],
    ['none for this machine', { HTTP_PROXY: PROXY, NO_PROXY: 'localhost, 127.0.0.1' }, /^ok: HTTP_PROXY: set/],
    ['none for anything', { HTTP_PROXY: PROXY, no_proxy: '*' }, /^ok: /],
    [
      'for this machine',
      { http_proxy: PROXY },
      /^warning: http_proxy is set and NO_PROXY does not name 127.0.0.1 and localhost/,
    ],
    ['for one name of it', { ALL_PROXY: PROXY, NO_PROXY: '127.0.0.1' }, /^warning: .* does not name localhost/],
    ['for HTTPS alone', { HTTPS_PROXY: PROXY }, /^ok: /],
    ['no URL', { HTTPS_PROXY: 'secret' }, /^problem: HTTPS_PROXY is not the URL of a proxy/],
    [
      'two of one kind',
      { HTTPS_PROXY: PROXY, https_proxy: 'http://secret:1' },
      /^warning: HTTPS_PROXY and https_proxy differ/,
    ],
  ])('%s', (_name, operator, expected) => {
    const text = told(proxyFindings(operator));
    expect(text).toMatch(expected);
    expect(text).not.toContain('secret');
  });

  test.each([
    ['https://api.anthropic.com', { HTTPS_PROXY: PROXY }, 'HTTPS_PROXY'],
    ['https://api.anthropic.com', { HTTP_PROXY: PROXY }, undefined],
    ['https://api.anthropic.com', { ALL_PROXY: 'proxy:1' }, 'ALL_PROXY'],
    ['https://api.anthropic.com', { HTTPS_PROXY: PROXY, NO_PROXY: '.anthropic.com' }, undefined],
    ['https://api.anthropic.com', { HTTPS_PROXY: PROXY, NO_PROXY: 'other.com,api.anthropic.com:444' }, 'HTTPS_PROXY'],
    ['http://127.0.0.1:80', { HTTP_PROXY: PROXY, NO_PROXY: '127.0.0.1' }, undefined],
    ['http://notlocalhost', { HTTP_PROXY: PROXY, NO_PROXY: 'localhost' }, 'HTTP_PROXY'],
  ])('of %s with %j is %s', (url, operator, variable) => {
    expect(proxyFor(new URL(url), operator)?.variable).toBe(variable);
  });
});

describe('certificates', () => {
  const NOW = 1000;
  const findingsOf = (
    seen: Parameters<typeof certificateFindings>[0] extends ReadonlyMap<string, infer Seen> ? Seen : never,
  ) => told(certificateFindings(new Map([['NODE_EXTRA_CA_CERTS', seen]]), NOW));
  test('what their file is', () => {
    expect(findingsOf({ kind: 'certificates', until: [999, 1001] })).toBe('ok: NODE_EXTRA_CA_CERTS: 2 certificates.');
    expect(findingsOf({ kind: 'certificates', until: [999] })).toMatch(/^warning: Every certificate .* has run out/);
    expect(findingsOf({ kind: 'no certificates' })).toMatch(/^problem: .* holds no certificates/);
    expect(findingsOf({ kind: 'unreadable', code: 'ENOENT' })).toMatch(/^problem: .*\(ENOENT\)/);
    expect(told(certificateFindings(new Map(), NOW))).toMatch(/^ok: No variable/);
  });
  test('a folder of them', () => {
    expect(folderFindings('none')).toEqual([]);
    expect(told(folderFindings('missing'))).toMatch(/^problem: SSL_CERT_DIR/);
    expect(told(folderFindings('is there'))).toMatch(/^note: SSL_CERT_DIR/);
  });
  test('a file is read as PEM', () => {
    const authority = join(import.meta.dirname, '..', '..', 'test', 'support', 'first-party', 'test-only-ca.pem');
    expect(lookAtFile(authority)).toMatchObject({ kind: 'certificates', until: [expect.any(Number)] });
    const broken = join(folder, 'broken.pem');
    writeFileSync(broken, '-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n');
    expect(lookAtFile(broken)).toEqual({ kind: 'no certificates' });
    writeFileSync(broken, 'no PEM');
    expect(lookAtFile(broken)).toEqual({ kind: 'no certificates' });
    expect(lookAtFile(join(folder, 'missing.pem'))).toEqual({ kind: 'unreadable', code: 'ENOENT' });
    expect(lookAtFile(folder)).toEqual({ kind: 'unreadable', code: 'EISDIR' });
  });
});

describe('api', () => {
  const OPERATOR = { ANTHROPIC_BASE_URL: 'https://someone:secret@gateway.corp/v1' };
  const chosen = apiAddress({ ANTHROPIC_BASE_URL: 'https://gateway.corp' });
  const standard = apiAddress({});
  const answered = { kind: 'answered', status: 401, contentType: 'application/json', ms: 12.3 } as const;

  test('where it is', () => {
    expect(apiAddress({ ANTHROPIC_BASE_URL: 'gateway.corp:80' })).toEqual({
      kind: 'broken',
      variable: 'ANTHROPIC_BASE_URL',
    });
    expect(apiAddress({ ANTHROPIC_BASE_URL: 'ftp://x' }).kind).toBe('broken');
    expect(standard).toMatchObject({
      kind: 'known',
      url: new URL('https://api.anthropic.com'),
      name: 'api.anthropic.com',
    });
    const vertex = { CLAUDE_CODE_USE_VERTEX: '1', ANTHROPIC_BASE_URL: 'http://x' };
    expect(apiAddress(vertex)).toEqual({
      kind: 'of a cloud',
      title: 'Google Vertex AI',
      variable: 'ANTHROPIC_VERTEX_BASE_URL',
    });
    expect(apiAddress({ ...vertex, ANTHROPIC_VERTEX_BASE_URL: 'http://y' })).toMatchObject({
      url: new URL('http://y'),
    });
    expect(apiAddress({ ...vertex, CLAUDE_CODE_USE_BEDROCK: '1' })).toMatchObject({ title: 'Amazon Bedrock' });
    expect(apiAddress({ ...vertex, CLAUDE_CODE_USE_GATEWAY: '1' })).toMatchObject({ variable: 'ANTHROPIC_BASE_URL' });
  });

  test.each<[string, typeof chosen, Parameters<typeof reachFindings>[1], RegExp]>([
    ['answers', standard, answered, /^ok: api\.anthropic\.com answers .*\(HTTP 401 in 12 ms\)\.$/],
    ['answers by a proxy', standard, { ...answered, proxy: 'HTTPS_PROXY' }, /^ok: .*by the proxy at HTTPS_PROXY\)/],
    [
      'is a web page',
      chosen,
      { ...answered, contentType: 'text/html' },
      /^warning: .*web page.* → See that the variable/,
    ],
    [
      'is a network’s sign-in',
      standard,
      { ...answered, contentType: 'text/html' },
      /^warning: .* → See whether this network/,
    ],
    ['redirects', chosen, { ...answered, status: 302 }, /^warning: .*redirect/],
    ['fails', chosen, { ...answered, status: 503 }, /^warning: .*answers with an error/],
    [
      'is not there',
      chosen,
      { kind: 'failed', code: 'ECONNREFUSED' },
      /^problem: The API at ANTHROPIC_BASE_URL cannot be reached \(ECONNREFUSED\)\. → See that it runs/,
    ],
    [
      'is beyond this network',
      standard,
      { kind: 'failed', code: 'ENOTFOUND' },
      /^problem: .* → See that this machine is online/,
    ],
    [
      'is read along',
      standard,
      { kind: 'failed', code: 'SELF_SIGNED_CERT_IN_CHAIN' },
      /^problem: .* → .*NODE_EXTRA_CA_CERTS=FILE/,
    ],
    [
      'is of another day',
      standard,
      { kind: 'failed', code: 'CERT_NOT_YET_VALID' },
      /^problem: .* → See that the clock/,
    ],
    ['is another host', chosen, { kind: 'failed', code: 'ERR_TLS_CERT_ALTNAME_INVALID' }, /^problem: .*another host/],
    [
      'is behind a dead proxy',
      standard,
      { kind: 'failed', code: 'ECONNREFUSED', proxy: 'HTTPS_PROXY' },
      /^problem: The proxy at HTTPS_PROXY cannot be reached/,
    ],
    [
      'is forbidden by the proxy',
      standard,
      { kind: 'refused by the proxy', status: 403, proxy: 'HTTPS_PROXY' },
      /^problem: The proxy .*HTTP 403/,
    ],
    [
      'is behind a sign-in of the proxy',
      standard,
      { kind: 'a sign-in for the proxy', proxy: 'HTTPS_PROXY' },
      /^note: The proxy at HTTPS_PROXY wants a sign-in/,
    ],
    [
      'has no URL',
      apiAddress({ ANTHROPIC_BASE_URL: 'x' }),
      undefined,
      /^problem: ANTHROPIC_BASE_URL is not the URL of a server/,
    ],
    ['is a cloud’s', apiAddress({ CLAUDE_CODE_USE_BEDROCK: '1' }), undefined, /^note: Amazon Bedrock/],
  ])('%s', (_name, address, answer, expected) => {
    expect(told(reachFindings(address, answer))).toMatch(expected);
  });

  test('a base URL with the path that Claude Code adds is told, without its value', () => {
    const text = told(reachFindings(apiAddress(OPERATOR), answered));
    expect(text).toMatch(/^ok: .*\nwarning: ANTHROPIC_BASE_URL ends with \/v1/);
    expect(text).not.toMatch(/secret|gateway\.corp/);
  });
});

describe('clock', () => {
  const NOW = Date.UTC(2026, 10, 26, 12);
  const header = (offset: number) => new Date(NOW + offset).toUTCString();
  test.each([
    ['right', NOW, header(60_000), /^ok: /],
    ['ahead', NOW, header(-600_000), /^warning: The clock is 10 minutes ahead of/],
    ['behind', NOW, header(3_600_000), /^warning: The clock is 60 minutes behind/],
    ['not known', NOW, undefined, /^note: /],
    ['not told', NOW, 'soon', /^note: /],
    ['of another age', 0, undefined, /^problem: The clock says the year 1970/],
  ])('%s', (_name, now, date, expected) => {
    expect(told(clockFindings(now, date))).toMatch(expected);
  });
});

test('disk', () => {
  const seen = { holds: 'Temporary files', path: '/tmp', variable: 'TMPDIR' };
  const say = (more: object) => told(diskFindings([{ ...seen, ...more }]));
  expect(say({ freeBytes: 5000 * MB })).toBe('ok: Temporary files: 5000 MB are free in /tmp.');
  expect(say({ freeBytes: 100 * MB })).toMatch(/^warning: 100 MB .* → .*TMPDIR/);
  expect(say({ freeBytes: 10 * MB })).toMatch(/^problem: 10 MB/);
  expect(say({ problem: 'EROFS' })).toMatch(/^problem: .*EROFS\. → /);
  expect(say({})).toMatch(/^ok: /);
});

test.each([
  [{ total: 16_000 * MB, available: 8000 * MB }, 8000, /^ok: .* 8000 MB together, some 61 of them/],
  [{ total: 4000 * MB, available: 3000 * MB }, 8000, /^warning: .*more than the 4000 MB.* → .*--max-memory-mb 2000/],
  [{ total: 16_000 * MB, available: 8000 * MB, limit: 512 * MB }, 8000, /^warning: .*more than the 512 MB/],
  [{ total: 4000 * MB, available: 200 * MB }, 2000, /^warning: 200 MB/],
  [{ total: 4000 * MB }, 2000, /^ok: .*some 15 of them\.$/],
  [{ total: 4000 * MB, available: 100 * MB }, 2000, /^problem: 100 MB/],
])('memory of %j for a budget of %d MB', (seen, budget, expected) => {
  expect(told(memoryFindings(seen, budget))).toMatch(expected);
});

test('open files', () => {
  expect(told(openFilesFindings(1024, 24))).toMatch(/^ok: 1024 files/);
  expect(told(openFilesFindings(256, 24))).toMatch(/^warning: 256 files .* 388\. → .*ulimit -n 776/);
  expect(told(openFilesFindings('unlimited', 900))).toMatch(/^ok: Any number/);
  expect(told(openFilesFindings(undefined, 24))).toMatch(/^note: /);
});

describe('claude settings', () => {
  const path = '/home/x/settings.json';
  const names = ['ANTHROPIC_BASE_URL', 'EDITOR'];
  test.each<[string, Parameters<typeof claudeSettingsFindings>[0], object, RegExp]>([
    ['none', [], {}, /^ok: /],
    ['of no interest', [{ path, owner: 'user', names: ['EDITOR'] }], {}, /^ok: /],
    [
      'the user’s',
      [{ path, owner: 'user', names }],
      {},
      /^warning: \S+ sets ANTHROPIC_BASE_URL in its env .* → Put that variable/,
    ],
    ['the user’s, known', [{ path, owner: 'user', names }], { ANTHROPIC_BASE_URL: 'x' }, /^note: /],
    ['the project’s', [{ path, owner: 'project', names }], {}, /^note: .*in this folder/],
    ['an administrator’s', [{ path, owner: 'administrator', names }], {}, /^warning: .*every Claude Code/],
    ['broken', [{ path, owner: 'user', names: undefined }], {}, /^warning: .*not JSON/],
  ])('%s', (_name, seen, operator, expected) => {
    expect(told(claudeSettingsFindings(seen, operator as Record<string, string>))).toMatch(expected);
  });

  test('names are read from the files of the user and the project, values are not kept', () => {
    const home = join(folder, 'home');
    const project = join(home, 'project');
    mkdirSync(join(project, '.claude'), { recursive: true });
    mkdirSync(join(home, '.claude'), { recursive: true });
    writeFileSync(join(home, '.claude', 'settings.json'), '\uFEFF{"env": {"ANTHROPIC_API_KEY": "secret"}}');
    writeFileSync(join(project, '.claude', 'settings.json'), '{"model": "opus"}');
    writeFileSync(join(project, '.claude', 'settings.local.json'), '{broken');
    const look = (folder: string, port = 3456) =>
      lookAtSettings({ operator: { HOME: home }, folder, settings: checkSettings({ port }) }, 'aix');
    const seen = look(project);
    expect(seen).toEqual([
      { path: join(home, '.claude', 'settings.json'), owner: 'user', names: ['ANTHROPIC_API_KEY'] },
      { path: join(project, '.claude', 'settings.json'), owner: 'project', names: [] },
      { path: join(project, '.claude', 'settings.local.json'), owner: 'project', names: undefined },
    ]);
    expect(look(home).map(({ owner }) => owner)).toEqual(['user']);
    // What `isthmus setup` writes there is for the client.
    const env = { ANTHROPIC_BASE_URL: 'http://127.0.0.1:3456', ANTHROPIC_AUTH_TOKEN: 'isthmus', HTTPS_PROXY: 'x' };
    writeFileSync(join(home, '.claude', 'settings.json'), JSON.stringify({ env }));
    for (const port of [3456, 3457])
      expect(look(home, port)).toMatchObject([{ names: ['HTTPS_PROXY'], baseUrl: env.ANTHROPIC_BASE_URL }]);
    const ofOther = { ...env, ANTHROPIC_AUTH_TOKEN: 'secret' };
    writeFileSync(join(home, '.claude', 'settings.json'), JSON.stringify({ env: ofOther }));
    expect(look(home)).toMatchObject([{ names: ['ANTHROPIC_AUTH_TOKEN', 'HTTPS_PROXY'] }]);
    expect(look(home, 3457)).toMatchObject([{ names: Object.keys(ofOther) }]);
  });
});

test('clients are pointed at Isthmus, elsewhere, or at another port of this machine', () => {
  const settings = checkSettings({ port: 3456 });
  const say = (operator: Record<string, string>, ...baseUrls: string[]) =>
    told(
      clientsFindings(
        baseUrls.map((baseUrl) => ({ title: 'Claude Code', path: '/s.json', baseUrl, hindrances: [] })),
        { settings, operator },
      ),
    );
  expect(say({}, 'http://127.0.0.1:3456')).toBe('ok: Claude Code is pointed at Isthmus (/s.json).');
  expect(say({}, 'http://127.0.0.1:9999')).toMatch(
    /^warning: .* another port than that of Isthmus, 3456 \(\/s\.json\)/,
  );
  expect(say({}, 'http://127.0.0.1:9999')).not.toContain('9999');
  expect(say({}, 'https://gateway.corp', 'no URL')).toMatch(/^ok: No client/);
  expect(say({ ANTHROPIC_BASE_URL: 'http://localhost:3456' })).toMatch(
    /^note: ANTHROPIC_BASE_URL points at Isthmus itself/,
  );
  expect(say({ ANTHROPIC_BASE_URL: 'http://localhost:3457' })).toMatch(/^ok: /);
  expect(leadsToItself({}, settings)).toBe(false);
});

test('what keeps a client away all the same is told, and how to set it up', () => {
  const settings = checkSettings({ port: 3456 });
  const say = (baseUrl: string) =>
    told(
      clientsFindings([{ title: 'pi', path: '/s', baseUrl, setup: 'pi', hindrances: ['X leads past.'] }], {
        settings,
        operator: {},
      }),
    );
  expect(say('http://127.0.0.1:3456')).toBe('ok: pi is pointed at Isthmus (/s).\nwarning: pi: X leads past.');
  expect(say('http://127.0.0.1:1')).toMatch(/^warning: pi .* → `isthmus setup pi` writes/);
});

test.each([
  ['.config/opencode/opencode.json', '{"model": ', 'OpenCode', 'opencode'],
  ['.continue/config.yaml', 'models: *nothing', 'Continue', 'continue'],
  ['.pi/agent/models.json', Buffer.from('{"a": "\xE4"}', 'latin1'), 'pi', 'pi'],
])('that %s is broken is told', (name, content, title, setup) => {
  const home = join(folder, `broken-${setup}`);
  mkdirSync(join(home, name, '..'), { recursive: true });
  writeFileSync(join(home, name), content);
  expect(told(clientsFindings(lookAtClients({ HOME: home }), { settings: checkSettings({}), operator: {} }))).toBe(
    `note: ${join(home, name)} cannot be read, so it is not known where ${title} is pointed. → \`isthmus setup ${setup}\` says what is wrong with it.`,
  );
});

test('the address of a client is read where setup would write it, of any kind of file', () => {
  const home = join(folder, 'clients');
  const write = (name: string, text: string) => {
    mkdirSync(join(home, name, '..'), { recursive: true });
    writeFileSync(join(home, name), text);
    return join(home, name);
  };
  write('.config/opencode/opencode.json', '{"provider": {"anthropic": {"options": {"baseURL": "http://loses"}}}}');
  const openCode = write(
    '.config/opencode/opencode.jsonc',
    '{"provider": {"anthropic": {"options": {"baseURL": "http://wins/v1"}}},}',
  );
  const claudeCode = write(
    '.claude/settings.json',
    '{"env": {"ANTHROPIC_BASE_URL": "http://a", "CLAUDE_CODE_USE_BEDROCK": "1"}}',
  );
  // Setup writes no file of Cline, so it is not read.
  write(
    '.cline/data/settings/providers.json',
    '{"providers": {"anthropic": {"settings": {"baseUrl": "http://b/v1"}}}}',
  );
  const again = write(
    '.continue/config.yaml',
    'models:\n  - name: Claude Sonnet 5 (Isthmus)\n    apiBase: http://c/v1/\n',
  );
  const broken = write('.pi/agent/models.json', '{broken');
  write('.factory/settings.json', '{"customModels": [{"id": "mine", "baseUrl": "http://d"}]}');
  expect(lookAtClients({ HOME: home })).toMatchObject([
    { title: 'OpenCode', path: openCode, baseUrl: 'http://wins/v1', setup: 'opencode' },
    { path: claudeCode, baseUrl: 'http://a', hindrances: [expect.stringContaining('CLAUDE_CODE_USE_BEDROCK')] },
    { title: 'pi', path: broken, setup: 'pi' },
    { path: again, baseUrl: 'http://c/v1/' },
  ]);
});

describe('agents', () => {
  const missing = { kind: 'missing', programs: ['bwrap'] } as const;
  const seen: SeenAgents = { agents: [{ name: 'fix', level: 'edit' }], sandbox: undefined, tiesLives: true };
  test.each<[string, Partial<SeenAgents>, RegExp]>([
    ['with a sandbox', {}, /^ok: Agents: fix\. The sandbox .* works here\.$/],
    ['none', { agents: [] }, /^ok: No agent is defined/],
    ['without a sandbox', { sandbox: missing }, /^note: Agents: fix; none runs commands\. .*bwrap/],
    [
      'that run commands without a sandbox',
      { agents: [{ name: 'sh', level: 'shell' }], sandbox: missing },
      /^problem: sh: .*bwrap/,
    ],
    ['refused', { agents: { refused: 'agents.x is wrong.' } }, /^problem: agents\.x is wrong\. → /],
    ['whose processes outlive it', { tiesLives: false }, /^ok: .*\nwarning: setpriv .* → .*util-linux/],
  ])('%s', (_name, more, expected) => {
    expect(told(agentsFindings({ ...seen, ...more }))).toMatch(expected);
  });
});

test('a free turn', () => {
  const seen = { kind: 'answered', status: 200, words: 'I am here.', modelCalls: 1, ms: 1234.5 } as const;
  expect(told(turnFindings(seen))).toMatch(/^ok: .*1235 ms/);
  expect(told(turnFindings({ ...seen, status: 500, words: 'no' }))).toMatch(/^problem: .*HTTP 500: no → .*demo --once/);
  expect(told(turnFindings({ ...seen, modelCalls: 2 }))).toMatch(/^problem: .*by 2 model calls/);
  expect(told(turnFindings({ ...seen, words: 'You said' }))).toMatch(/^problem: .*another answer/);
  expect(told(turnFindings({ kind: 'not booted', problem: 'Why.' }))).toMatch(/^problem: .*Why\./);
});
