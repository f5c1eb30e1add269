import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './gateway.ts';

/** Packs what `npm publish` would publish, into a folder. */
export function packPackage(folder: string): { tarball: string; files: string[] } {
  const [{ filename, files }] = JSON.parse(npm(ROOT, ['pack', '--json', '--pack-destination', folder]));
  return { tarball: join(folder, filename), files: files.map(({ path }: { path: string }) => path) };
}

/** Runs npm as its users do, but for install scripts. @returns its stdout */
export function npm(cwd: string, args: string[], env: NodeJS.ProcessEnv = process.env): string {
  const quiet = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', '--no-update-notifier'];
  return execFileSync('npm', [...args, ...quiet], { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}
