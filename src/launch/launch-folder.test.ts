import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ClientError } from '../clients/client.ts';
import { launchFolder, writeFiles } from './launch-folder.ts';

test('what has no room for a temporary folder is told in one line', () => {
  expect(() => launchFolder('/none/at/all')).toThrow(ClientError);
  expect(() => launchFolder('/none/at/all')).toThrow(
    'No temporary folder can be made in /none/at/all (ENOENT): set TMPDIR to a folder that is there and has room.',
  );
});

test('so is a file that cannot be written', () => {
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-folder-'));
  writeFileSync(join(folder, 'a'), '');
  expect(() => writeFiles(folder, { 'a/b': 'text' })).toThrow(ClientError);
  expect(() => writeFiles(folder, { 'a/b': 'text' })).toThrow(/^Nothing can be written in .* \(EEXIST\): set TMPDIR /);
  rmSync(folder, { recursive: true });
});
