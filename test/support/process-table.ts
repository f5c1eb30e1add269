import { readdirSync, readFileSync } from 'node:fs';

/** The processes of this machine, read from `/proc`: `ps` takes longer than the polls that would call it. */

/** Every living process whose environment has this text. */
export function processesWith(text: string): number[] {
  return allPids().filter((pid) => environmentOf(pid).includes(text));
}

/** Every living process with this text in its command. */
export function pidsWithWord(text: string): number[] {
  return allPids().filter((pid) => commandOf(pid).includes(text));
}

/** The living children of a process; one that was killed and not yet waited for is no more. */
export function childrenOf(parent: number | undefined): number[] {
  return allPids().filter((pid) => {
    const { state, ppid } = statOf(pid);
    return ppid === parent && state !== 'Z';
  });
}

/** Who has made a process; not a number if it is no more. */
export function parentOf(pid: number): number {
  return statOf(pid).ppid;
}

function statOf(pid: number): { state: string | undefined; ppid: number } {
  // The name stands in brackets and may have spaces: 12 (claude) S 11 …
  const [state, ppid] = textOf(pid, 'stat').split(') ').at(-1)?.split(' ') ?? [];
  return { state, ppid: Number(ppid) };
}

/** The variables of a process; none if it is no more. */
export function environmentOf(pid: number): string {
  return textOf(pid, 'environ');
}

/** The words of its command; those of its parent until it runs a program of its own. */
export function commandOf(pid: number | undefined): string {
  return pid === undefined ? '' : textOf(pid, 'cmdline');
}

/** SIGKILL of a process, which may be quicker to end by itself. */
export function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function allPids(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

function textOf(pid: number, file: 'cmdline' | 'environ' | 'stat'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
