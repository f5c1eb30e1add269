import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkSettings, readSettings, SettingsError } from './settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'isthmus-settings-'));
const file = join(folder, 'config.json');
const none = join(folder, 'none.json');
writeFileSync(none, '{}');

function read(flags: Record<string, string> = {}, environment: Record<string, string> = {}) {
  return readSettings({ flags: { config: none, ...flags }, environment, otherFlags: ['once'] });
}

test('flags come before variables, variables before the file, the file before defaults', () => {
  writeFileSync(file, JSON.stringify({ port: 1, spares: 1, 'max-processes': 1 }));
  const settings = readSettings({
    flags: { port: '3' },
    environment: { ISTHMUS_CONFIG: file, ISTHMUS_PORT: '2', ISTHMUS_SPARES: '2' },
  });
  expect(settings).toMatchObject({ port: 3, spares: 2, maxProcesses: 1, host: '127.0.0.1' });
  rmSync(file);
});

test('names of hosts come as text or as a list', () => {
  expect(read({ 'allowed-hosts': 'Gateway.team, host.docker.internal' }).allowedHosts).toEqual([
    'gateway.team',
    'host.docker.internal',
  ]);
  writeFileSync(file, JSON.stringify({ 'allowed-hosts': ['gateway.team'] }));
  expect(read({ config: file }).allowedHosts).toEqual(['gateway.team']);
  rmSync(file);
  expect(read().allowedHosts).toEqual([]);
});

test.each<[Record<string, string>, Record<string, string>, string]>([
  [{ prot: '1' }, {}, 'There is no setting --prot. Did you mean --port?'],
  [{}, { ISTHMUS_MAX_PROCESES: '1' }, 'There is no setting ISTHMUS_MAX_PROCESES. Did you mean ISTHMUS_MAX_PROCESSES?'],
  [{ port: 'http' }, {}, '--port must be a number (it is "http").'],
  [{ port: '' }, {}, '--port must be a number (it is "").'],
  [{ port: '70000' }, {}, '--port must be at most 65535 (it is "70000").'],
  [{ port: '1.5' }, {}, '--port must be a whole number (it is "1.5").'],
  [{ port: ' ' }, {}, '--port must be a number (it is " ").'],
  [{ 'allowed-hosts': 'a:80' }, {}, '--allowed-hosts must be host names without ports, with commas between them'],
  [{ 'allowed-hosts': '' }, {}, '--allowed-hosts must be host names without ports, with commas between them'],
  [{ host: '' }, {}, '--host must not be empty (it is "").'],
  [{ reuse: 'false' }, {}, '--reuse must be on or off (it is "false").'],
  [{ strict: '' }, {}, '--strict must be true or false (it is "").'],
  [{ 'stall-minutes': '100000' }, {}, '--stall-minutes must be at most 35791 (it is "100000").'],
  [{ 'queue-seconds': '9999999' }, {}, '--queue-seconds must be at most 2147483 (it is "9999999").'],
  [{ constructor: '1' }, {}, 'There is no setting --constructor.'],
  [{ onse: 'true' }, {}, 'There is no setting --onse. Did you mean --once?'],
  [{ confg: 'x' }, {}, 'There is no setting --confg. Did you mean --config?'],
  [{}, { ISTHMUS_SPARES: '-1' }, 'ISTHMUS_SPARES must be at least 0 (it is "-1").'],
  [
    { config: '/no/such.json' },
    {},
    'There is no configuration file /no/such.json. Name one that exists: --config FILE.',
  ],
  [{ config: '/' }, {}, 'The configuration file / cannot be read as JSON'],
])('%j %j is refused with the cure', (flags, environment, message) => {
  expect(() => read(flags, environment)).toThrow(message);
});

test.each([{ port: null }, { 'queue-length': null }, { port: true }, { 'max-processes': [5] }])(
  '%j in the file is no number',
  (settings) => {
    writeFileSync(file, JSON.stringify(settings));
    expect(() => read({ config: file })).toThrow('must be a number');
  },
);

test.each(['x', 'anything', 'maximum'])('nothing is proposed for %j, which is near to none', (flag) => {
  expect(() => read({ [flag]: '1' })).toThrow(new SettingsError(`There is no setting --${flag}.`));
});

test('a file may begin with a byte order mark', () => {
  writeFileSync(file, '\uFEFF{"port": 7}');
  expect(read({ config: file })).toMatchObject({ port: 7 });
});

test('a program gives settings in camel case, and the answer can be given again', () => {
  const settings = checkSettings({ maxProcesses: 3, spares: undefined, strict: true });
  expect(settings).toMatchObject({ maxProcesses: 3, spares: 2, strict: true, port: 3456 });
  expect(checkSettings(settings)).toEqual(settings);
  expect(() => checkSettings({ maxProcesses: 0 })).toThrow('maxProcesses must be at least 1 (it is 0).');
  expect(() => checkSettings({ maxProceses: 1 })).toThrow(
    'There is no setting maxProceses. Did you mean maxProcesses?',
  );
  expect(() => checkSettings({ 'max-processes': 1 })).toThrow('There is no setting');
});

test('an unknown key in the file is named', () => {
  writeFileSync(file, JSON.stringify({ hots: 'x' }));
  expect(() => read({ config: file })).toThrow(
    'There is no setting "hots" in the configuration file. Did you mean "host" in the configuration file?',
  );
  writeFileSync(file, '[]');
  expect(() => read({ config: file })).toThrow('must hold a JSON object');
  rmSync(folder, { recursive: true });
});
