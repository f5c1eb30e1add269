import { isLoopback } from '../access/request-guard.ts';
import type { Environment } from '../engine/environment/environment.ts';
import { sdkVersions, TESTED } from '../engine/environment/executable.ts';
import { unnamedSecrets } from '../engine/environment/flag-settings.ts';
import type { Spawner } from '../engine/process/spawner.ts';
import type { OwnConfiguration } from './own-configuration.ts';
import type { SlowSpawn } from './slow-spawn.ts';
import { type UserSettings, unloadedProblem } from './user-settings.ts';

/** What the boot has found. */
export interface Found {
  /** The variables of the environment that are a client's, and left out. */
  ofClient: readonly string[];
  configuration: OwnConfiguration | undefined;
  userSettings: UserSettings;
  slowSpawn: SlowSpawn;
  /** The variables of the processes if a login pays. */
  ofLogin: Environment | undefined;
  host: string;
  spawner: Spawner;
}

/** What the operator should know; one sentence each. */
export function warningsOf({
  ofClient,
  configuration,
  userSettings,
  slowSpawn,
  ofLogin,
  host,
  spawner,
}: Found): string[] {
  const { sdk, claudeCode } = sdkVersions();
  const isTested = sdk === TESTED.sdk && (claudeCode ?? TESTED.claudeCode) === TESTED.claudeCode;
  const found = [
    slowSpawn.problem,
    configuration?.problem &&
      `Claude Code’s configuration lies in ${configuration.folder} and ends with this gateway (${configuration.problem}). Set XDG_STATE_HOME.`,
    unloadedProblem(userSettings),
    ofLogin && unnamedProblem(ofLogin),
    process.platform === 'darwin' &&
      ofLogin?.CLAUDE_CONFIG_DIR &&
      'The Agent SDK looks for a sign-in in the keychain only while CLAUDE_CONFIG_DIR is not set: unset it if turns are refused with 401.',
    ofClient.length > 0 &&
      `ANTHROPIC_BASE_URL points at Isthmus itself: ${ofClient.join(' and ')} in the environment of Isthmus ${ofClient.length === 1 ? 'is' : 'are'} for its clients, and not passed on.`,
    !isLoopback(host) && `Everyone who can reach ${host} can use your credential: there is no client key yet.`,
    !isTested && `Agent SDK ${sdk} is not the version that Isthmus was tested with (${TESTED.sdk}).`,
    process.platform === 'linux' &&
      !spawner.tiesLives &&
      'setpriv (package util-linux) is missing: a killed gateway may leave processes behind for some seconds.',
  ];
  return found.filter((warning) => typeof warning === 'string');
}

/** What a settings file must not hold cannot be held against the `env` block of the user's `.claude.json`. */
function unnamedProblem(variables: Environment): string | undefined {
  const names = unnamedSecrets(variables);
  if (names.length === 0) return undefined;
  return `${names.join(', ')} can hold a secret, so an \`env\` block in your .claude.json that sets the same would win. See that it sets none.`;
}
