import { CANNOT_START } from './exit-code.ts';
import { type ServicePlan, stopSecondsOf } from './service-plan.ts';

/**
 * The text of the systemd user unit. It keeps to what systemd 247 knows: waits that grow (`RestartSteps`) came with 254.
 *
 * A stop goes to the gateway alone (`KillMode=mixed`), which lets running turns finish and ends its processes itself.
 */
export function systemdUnit(plan: ServicePlan): string {
  const [program, ...args] = plan.command;
  return [
    '[Unit]',
    'Description=Isthmus, a gateway to Claude through the Claude Agent SDK',
    '# A gateway that crashes again and again is given up: six starts in five minutes.',
    'StartLimitIntervalSec=300',
    'StartLimitBurst=6',
    '',
    '[Service]',
    // Variables are not replaced in the program's own path.
    `ExecStart=${[quoteProgram(program), ...args.map(quoteArgument)].join(' ')}`,
    '# Credentials and other variables are yours to write there, one NAME=value a line; Isthmus copies none.',
    `EnvironmentFile=-${escapeSpecifiers(plan.environmentFile)}`,
    'Restart=on-failure',
    'RestartSec=2',
    '# What is set up wrongly is not started again.',
    `RestartPreventExitStatus=${CANNOT_START}`,
    'KillMode=mixed',
    `TimeoutStopSec=${stopSecondsOf(plan)}`,
    '',
    '[Install]',
    'WantedBy=default.target',
    '',
  ].join('\n');
}

/** One argument of `ExecStart`, so that systemd reads back what it was. */
export function quoteArgument(word: string): string {
  return quoteProgram(word).replaceAll('$', '$$$$');
}

function quoteProgram(word: string): string {
  const escaped = word
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a line break would end the setting.
    .replaceAll(/[\u0001-\u001f\u007f]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return `"${escapeSpecifiers(escaped)}"`;
}

/** systemd replaces `%h` and its like. */
function escapeSpecifiers(text: string): string {
  return text.replaceAll('%', '%%');
}
