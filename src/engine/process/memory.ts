import { readFile } from 'node:fs/promises';

/**
 * The memory of a process with its share of shared pages (Linux: PSS).
 *
 * @returns bytes, or undefined where the system does not tell
 */
export async function processMemory(pid: number | undefined): Promise<number | undefined> {
  if (pid === undefined) return undefined;
  try {
    const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
    const kilobytes = /^Pss:\s+(\d+) kB$/m.exec(text)?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}
