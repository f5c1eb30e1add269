import { isFlag, isSetting, SETTINGS } from '../config/setting-table.ts';

/**
 * The words that run a command of this program in another process.
 *
 * @param flags settings and `config`, as given
 */
export function ownCommand(
  name: string,
  flags: Readonly<Record<string, string>>,
): [program: string, ...args: string[]] {
  const given = Object.entries(flags).map(([flag, value]) => {
    const isSwitch = isSetting(flag) && isFlag(flag) && SETTINGS[flag].kind === 'toggle';
    return isSwitch ? `--${flag}` : `--${flag}=${value}`;
  });
  return [process.execPath, ...process.execArgv, process.argv[1] ?? '', name, ...given];
}
