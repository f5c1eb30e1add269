import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Runs the tests with the tag `soak` at full depth, with the seed of the day: `npm run test:soak -- [minutes]`. */

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
const { status } = spawnSync('npx', ['vitest', 'run', '--tags-filter', 'soak'], {
  cwd: fileURLToPath(new URL('..', import.meta.url)),
  env: { ...process.env, ISTHMUS_SOAK_MINUTES: minutes, ISTHMUS_TEST_SEED: seed },
  stdio: 'inherit',
});
console.log(`Soaked with ${told}; ISTHMUS_TEST_SEED=${seed} repeats it.`);
process.exit(status ?? 1);
