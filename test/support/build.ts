import { execFileSync } from 'node:child_process';
import { ROOT } from './gateway.ts';

/** Builds once before all tests, so that they run the program as it is in the tree. */
export function setup(): void {
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: ROOT, stdio: 'inherit' });
}
