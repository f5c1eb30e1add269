import { readdirSync, readFileSync } from 'node:fs';

/**
 * Ends what the processes of a dead gateway have started and what lives on without them, such as the proxies of a sandbox. The
 * temporary folder in their environment says whose they are. Only Linux shows it; the sandbox is there alone.
 *
 * @param temporary the gateway's folder with one for each of its processes
 */
export function endLeftProcesses(temporary: string): void {
  if (process.platform !== 'linux') return;
  for (const pid of readdirSync('/proc').map(Number).filter(Number.isInteger)) {
    try {
      const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
      if (variables.some((variable) => variable.startsWith(`TMPDIR=${temporary}/`))) process.kill(pid, 'SIGKILL');
    } catch {
      // It is another user's, or is no more.
    }
  }
}
