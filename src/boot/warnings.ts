import { isLoopback } from '../access/request-guard.ts';
import { sdkVersions, TESTED } from '../engine/process/executable.ts';
import type { Spawner } from '../engine/process/spawner.ts';
import type { OwnConfiguration } from './own-configuration.ts';
import type { SlowStart } from './slow-start.ts';
import { type UserSettings, unloadedProblem } from './user-settings.ts';

/** What the boot has found. */
export interface Found {
  droppedBaseUrl: boolean;
  configuration: OwnConfiguration | undefined;
  userSettings: UserSettings;
  slowStart: SlowStart;
  host: string;
  spawner: Spawner;
}

/** What the operator should know; one sentence each. */
export function warningsOf({ droppedBaseUrl, configuration, userSettings, slowStart, host, spawner }: Found): string[] {
  const { sdk, claudeCode } = sdkVersions();
  const isTested = sdk === TESTED.sdk && (claudeCode ?? TESTED.claudeCode) === TESTED.claudeCode;
  const found = [
    slowStart.problem,
    configuration?.problem &&
      `Claude Code’s configuration lies in ${configuration.folder} and ends with this gateway (${configuration.problem}). Set XDG_STATE_HOME.`,
    unloadedProblem(userSettings),
    droppedBaseUrl && 'ANTHROPIC_BASE_URL points at Isthmus itself and is not passed on.',
    !isLoopback(host) && `Everyone who can reach ${host} can use your credential: there is no client key yet.`,
    !isTested && `Agent SDK ${sdk} is not the version that Isthmus was tested with (${TESTED.sdk}).`,
    process.platform === 'linux' &&
      !spawner.tiesLives &&
      'setpriv (package util-linux) is missing: a killed gateway may leave processes behind for some seconds.',
  ];
  return found.filter((warning) => typeof warning === 'string');
}
