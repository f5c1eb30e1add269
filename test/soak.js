import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Runs the tests with the tag `soak` at full depth, with the seed of the day: `npm run test:soak -- [minutes]`. */

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * Whether a file, or what it imports of the tests, names the tag. Importing all the others only to run nothing of them would take a
 * minute.
 */
function namesTheTag(file, seen = new Set()) {
  if (seen.has(file)) return false;
  seen.add(file);
  const text = readFileSync(file, 'utf8');
  if (text.includes("'soak'")) return true;
  const imports = [...text.matchAll(/from '(\.[^']*)'/g)].map(([, path]) => join(dirname(file), path));
  return imports.some((path) => path.startsWith(join(ROOT, 'test')) && path.endsWith('.ts') && namesTheTag(path, seen));
}

const files = readdirSync(join(ROOT, 'test'), { recursive: true })
  .filter((name) => name.endsWith('.test.ts'))
  .filter((name) => namesTheTag(join(ROOT, 'test', name)))
  .map((name) => join('test', name));

const [minutes = 'Infinity', ...rest] = process.argv.slice(2);
if (!(Number(minutes) > 0) || rest.length > 0) {
  console.error(
    `soak: the one argument is how many minutes it may take, such as 3 (got "${process.argv.slice(2).join(' ')}").`,
  );
  process.exit(2);
}
const seed = process.env.ISTHMUS_TEST_SEED ?? new Date().toISOString().slice(0, 10).replaceAll('-', '');
const told = `the seed ${seed}${minutes === 'Infinity' ? '' : `, for ${minutes} min`}`;
console.log(`Soak with ${told}.`);
const { status } = spawnSync('npx', ['vitest', 'run', '--tags-filter', 'soak', ...files], {
  cwd: ROOT,
  env: { ...process.env, ISTHMUS_SOAK_MINUTES: minutes, ISTHMUS_TEST_SEED: seed },
  stdio: 'inherit',
});
console.log(`Soaked with ${told}; ISTHMUS_TEST_SEED=${seed} repeats it.`);
process.exit(status ?? 1);
