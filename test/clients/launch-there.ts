import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ISTHMUS } from '../support/gateway.ts';
import { writeHostileFiles } from './hostile-files.ts';
import type { Elsewhere, LaunchedClient } from './launched.ts';
import { type ClientRun, type Files, Project } from './project.ts';
import type { Stage } from './stage.ts';

/** Runs the words behind it to the end; then tells on stderr which processes that were started with it are still there. */
const TELL_WHAT_IS_LEFT = [
  // Of its own: other launches run beside this one.
  'STARTED_BY_LAUNCH=$$ "$@"',
  'code=$?',
  'grep -lz "^STARTED_BY_LAUNCH=$$\\$" /proc/[0-9]*/environ 2>/dev/null | sed "s/^/left behind: /" >&2',
  'exit $code',
].join('\n');

/** Where a client is launched. */
interface Place {
  stage: Stage;
  client: LaunchedClient;
  project: Project;
  /** Where the settings of its user lead it. */
  elsewhere: Elsewhere;
}

/** A project of a user whose own settings lead the client elsewhere. */
export function launchedProject(
  stage: Stage,
  client: LaunchedClient,
  elsewhere: Elsewhere,
  files: Files = { 'readme.md': 'Numbers.\n' },
): Project {
  const project = stage.add(new Project(client.name, files));
  mkdirSync(join(project.home, 'bin'));
  client.install(join(project.home, 'bin'));
  writeHostileFiles(project, client.hostile(elsewhere.url));
  return project;
}

/**
 * Runs `isthmus launch` there.
 *
 * @param args of the client
 * @param flags of the launch
 */
export function launchThere(
  { stage, client, project, elsewhere }: Place,
  args: string[],
  flags: string[] = [],
): Promise<ClientRun> {
  return project.runProgram(
    'sh',
    [
      ...['-c', TELL_WHAT_IS_LEFT, 'sh', process.execPath, ISTHMUS, 'launch', client.name],
      ...['--port', new URL(stage.url).port, ...flags, '--', ...args],
    ],
    { ...client.variables(elsewhere.url), PATH: `${join(project.home, 'bin')}:${process.env.PATH}` },
  );
}
