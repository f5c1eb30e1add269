import { realpathSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { Agent } from '../spec/agent.ts';

/** Folders that no workspace may hold, or lie in. */
export interface GuardedFolders {
  /** The operator's home: a workspace may lie in it, but not be it or hold it. */
  home: string;
  /** Where run directories lie: the same. */
  temporary: string;
  isRunDirectory: (name: string) => boolean;
  /** Those with credentials, settings and what the gateway keeps: a workspace may not lie in them either. */
  own: readonly string[];
}

/**
 * Checks the folder that an agent works in.
 *
 * @param given as the operator wrote it; `~/` is the home
 * @returns its real path, or the problem as the end of a sentence
 */
export function realWorkspace(given: string, guarded: GuardedFolders): { path: string } | { problem: string } {
  const path = realPath(given.startsWith('~/') ? join(guarded.home, given.slice(2)) : given);
  if (path === undefined) return { problem: `is ${given}, which does not exist: make the folder, or name another` };
  if (!statSync(path).isDirectory()) return { problem: `is ${path}, which is no folder` };
  if (path === dirname(path)) return { problem: 'is the whole disk: name the folder that the agent is to work in' };
  const home = real(guarded.home);
  if (contains(path, home)) {
    return { problem: `is ${path}, which holds your home with all that is in it: name a folder inside` };
  }
  const temporary = real(guarded.temporary);
  const [part = ''] = relative(temporary, path).split(sep);
  if (contains(path, temporary) || guarded.isRunDirectory(part)) {
    return { problem: `is ${path}, where Isthmus keeps files of its processes: name another folder` };
  }
  const own = guarded.own.map(real).find((folder) => contains(path, folder) || contains(folder, path));
  if (own !== undefined) {
    return {
      problem: `is ${path}, and ${own} has credentials or settings of Isthmus or Claude Code: name another folder`,
    };
  }
  return { path };
}

/**
 * The program that an agent which writes could replace: one that Isthmus runs, or is.
 *
 * @param programs files and folders, as far as they are known
 * @returns its real path; undefined if none lies in the workspace
 */
export function programWithin(workspace: string, programs: readonly string[]): string | undefined {
  return programs
    .filter(isAbsolute)
    .map(real)
    .find((program) => contains(workspace, program));
}

/**
 * The agents of which one could replace the workspace of the other, as by a link that leads elsewhere: it writes in a folder that
 * holds the other's.
 */
export function replaceable<One extends Pick<Agent, 'level' | 'workspace'>>(
  agents: readonly One[],
): { outer: One; inner: One } | undefined {
  for (const outer of agents) {
    if (outer.level === 'read') continue;
    const inner = agents.find(({ workspace }) => workspace !== outer.workspace && contains(outer.workspace, workspace));
    if (inner) return { outer, inner };
  }
  return undefined;
}

/** Workspaces that share files, where one agent may write; one sentence each pair. */
export function overlapWarnings(agents: readonly Pick<Agent, 'name' | 'level' | 'workspace'>[]): string[] {
  return agents.flatMap((one, index) =>
    agents.slice(index + 1).flatMap((other) => {
      if (one.level === 'read' && other.level === 'read') return [];
      if (!contains(one.workspace, other.workspace) && !contains(other.workspace, one.workspace)) return [];
      return `The agents ${one.name} and ${other.name} share files: one works in ${one.workspace}, the other in ${other.workspace}, and what one writes the other reads.`;
    }),
  );
}

/** Whether a folder is another one, or holds it. */
function contains(outer: string, inner: string): boolean {
  const way = relative(outer, inner);
  return way === '' || !(way === '..' || way.startsWith(`..${sep}`) || resolve(way) === way);
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch {
    return undefined;
  }
}

/** The real path, also of a folder that is not there yet: then that of the nearest one above. */
function real(path: string): string {
  const whole = resolve(path);
  const found = realPath(whole);
  if (found !== undefined || whole === dirname(whole)) return found ?? whole;
  return join(real(dirname(whole)), basename(whole));
}
