import { isAbsolute, join } from 'node:path';

/**
 * The folder for what the gateways of a user keep across restarts: `isthmus` in `XDG_STATE_HOME`, else in `~/.local/state`,
 * whether or not it is there. A relative `XDG_STATE_HOME` counts as none.
 *
 * @param operator the environment that says where the home is
 * @returns undefined without a home
 */
export function stateFolder(operator: Readonly<Record<string, string | undefined>>): string | undefined {
  const { XDG_STATE_HOME: given = '' } = operator;
  const home = operator.HOME || operator.USERPROFILE;
  const state = isAbsolute(given) ? given : home && join(home, '.local', 'state');
  return state ? join(state, 'isthmus') : undefined;
}
