import { checkSettings } from '../config/check-settings.ts';
import { namedConfigFile, type Settings } from '../config/settings.ts';
import { SettingsError } from '../config/settings-error.ts';
import { examine } from '../doctor/examine.ts';
import { type Finding, findingsOf, gravest } from '../doctor/finding.ts';
import { linesOf, summaryOf } from '../doctor/report.ts';
import type { CommandCall, RunCommand } from './command.ts';
import { CommandError } from './command-error.ts';
import { print } from './print.ts';

/**
 * `isthmus doctor`: says what keeps Isthmus from working here, and the cure. With `--json` it prints one object, `{level,
 * findings}`. The exit code is 1 if there is a problem, else 0.
 */
export const run: RunCommand = async (call) => {
  const { environment, flags } = call;
  const folder = currentFolder();
  const asJson = 'json' in flags;
  const look = {
    // `NO_COLOR` turns them off.
    hasColours: process.stdout.isTTY && process.stdout.hasColors(environment),
    width: process.stdout.isTTY ? process.stdout.columns : undefined,
  };
  const findings: Finding[] = [];
  const tell = (found: readonly Finding[]) => {
    findings.push(...found);
    if (!asJson) for (const finding of found) print(linesOf(finding, look));
  };
  const { settings, found } = await settingsOf(call);
  tell(found);
  const surroundings = { settings, operator: environment, folder, configFile: namedConfigFile(call) };
  for (const check of examine(surroundings, { isQuick: 'quick' in flags })) tell(await check);
  const level = gravest(findings);
  print(asJson ? [JSON.stringify({ level, findings }, null, 2)] : ['', summaryOf(findings)]);
  if (level === 'problem') process.exitCode = 1;
};

function currentFolder(): string {
  try {
    return process.cwd();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CommandError(`The current folder is gone (${code}): change to one that is there, with cd.`);
  }
}

/** Settings that are wrong are a finding, too: then the checks go by the defaults. */
async function settingsOf(call: CommandCall): Promise<{ settings: Settings; found: Finding[] }> {
  const { ok, problem } = findingsOf('settings');
  try {
    return { settings: await call.settings(), found: [ok('The settings are right.')] };
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    const cure = 'Correct it: `isthmus serve` refuses it, too. What follows goes by the default settings.';
    return { settings: checkSettings({}), found: [problem(error.message, cure)] };
  }
}
