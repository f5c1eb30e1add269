import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Project } from './project.ts';

/** Settings of a user that lead a client elsewhere: where they lie, below the home and below the project, and their texts. */
export interface HostileFiles {
  home: Readonly<Record<string, string>>;
  project: Readonly<Record<string, string>>;
}

/** Writes them, as a user has who used the client before. */
export function writeHostileFiles(project: Project, files: HostileFiles): void {
  for (const [path, text] of pathsOf(project, files)) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  execFileSync('git', ['add', '--all'], { cwd: project.directory });
}

/** What is in them now, in place of what was written. */
export function readHostileFiles(project: Project, files: HostileFiles): string[] {
  return pathsOf(project, files).map(([path]) => readFileSync(path, 'utf8'));
}

/** What was written. */
export function textsOfHostileFiles(project: Project, files: HostileFiles): string[] {
  return pathsOf(project, files).map(([, text]) => text);
}

function pathsOf(project: Project, { home, project: own }: HostileFiles): Array<[path: string, text: string]> {
  return [
    ...Object.entries(home).map(([name, text]): [string, string] => [join(project.home, name), text]),
    ...Object.entries(own).map(([name, text]): [string, string] => [project.path(name), text]),
  ];
}
