import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** How long a daemon may take to end by itself, in milliseconds. */
const END_MS = 2_000;

/** Ends a daemon whose process number is the `pid` in a file of JSON. There may be no such file, and no such process. */
export async function endDaemon(file: string, limitMs = END_MS): Promise<void> {
  const pid = pidIn(file);
  if (pid === undefined || !signal(pid, 'SIGTERM')) return;
  for (let waited = 0; waited < limitMs; waited += 50) {
    await pause(50);
    if (!signal(pid, 0)) return;
  }
  signal(pid, 'SIGKILL');
}

function pidIn(file: string): number | undefined {
  try {
    const { pid } = JSON.parse(readFileSync(file, 'utf8')) as { pid?: unknown };
    return typeof pid === 'number' && Number.isInteger(pid) && pid > 1 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Whether there was such a process. */
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}
