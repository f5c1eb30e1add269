/** `npm ci` builds the program; without the development dependencies it cannot, and what was built before stays. */
import { execSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';

const canBuild = () => {
  try {
    createRequire(import.meta.url).resolve('typescript/package.json');
    return true;
  } catch {
    return false;
  }
};

if (canBuild()) execSync('npm run --silent build', { stdio: 'inherit' });
else if (!existsSync(new URL('dist', import.meta.url))) {
  console.log(
    'Isthmus is not built: TypeScript is a development dependency. Run `npm ci` without --omit=dev, or bring dist/ along.',
  );
}
