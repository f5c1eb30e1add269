// @ts-check
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * What a release says: the changelog's section of its version.
 *
 * @param {object} release
 * @param {string} release.tag such as `v1.2.3`
 * @param {string} release.repository its owner and name, where the release is made
 * @param {{ version: string; repository: { url: string } }} release.manifest the package.json
 * @param {string} release.changelog
 * @throws Error for what keeps this commit from being that release; one line with the cure
 */
export function releaseNotes({ tag, repository, manifest, changelog }) {
  const { version } = manifest;
  if (tag !== `v${version}`) {
    throw new Error(`The tag is ${tag}, the version in package.json ${version}: tag the commit as v${version}.`);
  }
  const address = `git+https://github.com/${repository}.git`;
  if (manifest.repository.url !== address) {
    throw new Error(
      `package.json names the repository ${manifest.repository.url}, this one is ${address}: npm and the README's links go by package.json.`,
    );
  }
  const { date, notes } = sectionOf(changelog, version);
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) {
    throw new Error(`CHANGELOG.md says "${date}" of ${version}: put the day of the release there, as in 2026-01-31.`);
  }
  return notes;
}

/**
 * @param {string} changelog
 * @param {string} version
 * @returns {{ date: string; notes: string }} what stands behind the version in its heading, and below the heading
 */
export function sectionOf(changelog, version) {
  for (const section of changelog.split(/^## /m).slice(1)) {
    const [heading = '', ...lines] = section.split('\n');
    const [, name, date = ''] = /^\[(.+)\] - (.+)$/.exec(heading) ?? [];
    if (name === version) return { date, notes: `${lines.join('\n').trim()}\n` };
  }
  throw new Error(`CHANGELOG.md has no section of ${version}: add "## [${version}] - " and the date.`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [tag = '', repository = ''] = process.argv.slice(2);
  const read = (/** @type {string} */ name) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
  try {
    const manifest = JSON.parse(read('package.json'));
    process.stdout.write(releaseNotes({ tag, repository, manifest, changelog: read('CHANGELOG.md') }));
  } catch (error) {
    process.stderr.write(`release-notes: ${/** @type {Error} */ (error).message}\n`);
    process.exitCode = 1;
  }
}
