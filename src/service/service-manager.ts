import { join } from 'node:path';
import { SERVICE_UNIT as UNIT } from '../running/log-source.ts';
import { LABEL, launchAgent } from './launch-agent.ts';
import { marked } from './owned-file.ts';
import type { ServicePlan } from './service-plan.ts';
import { systemdUnit } from './systemd-unit.ts';

/** A command and its words. */
export type Command = readonly [program: string, ...args: string[]];

/** What keeps services of a user running, and how it is told to. */
export interface ServiceManager {
  name: 'systemd' | 'launchd';
  /** Where the file of the service lies. */
  file: string;
  /** The text of the file. */
  textOf(plan: ServicePlan): string;
  /** Succeeds where the manager can be reached. */
  probe: Command;
  /** What to run once the file is written: the service starts, and again at each sign-in. */
  start: readonly Command[];
  /** Before it is removed. One that fails is no obstacle: the service may not be loaded. */
  stop: readonly Command[];
  /** Once it is removed. */
  afterRemoval: readonly Command[];
  status: Command;
  /** What a user should know beside that. */
  hint: string;
}

/** The machine and the user, as far as a service depends on them. */
export interface ServiceHost {
  platform: NodeJS.Platform;
  home: string;
  /** `XDG_CONFIG_HOME`, if it is set. */
  configHome: string | undefined;
  uid: number;
}

/** @returns undefined where there is none that Isthmus knows */
export function serviceManagerOf(host: ServiceHost): ServiceManager | undefined {
  if (host.platform === 'linux') return systemd(host);
  if (host.platform === 'darwin') return launchd(host);
  return undefined;
}

function systemd({ home, configHome }: ServiceHost): ServiceManager {
  const user = (...args: string[]): Command => ['systemctl', '--user', ...args];
  return {
    name: 'systemd',
    file: join(configHome || join(home, '.config'), 'systemd', 'user', UNIT),
    textOf: (plan) => marked(systemdUnit(plan)),
    probe: user('show-environment'),
    start: [user('daemon-reload'), user('enable', UNIT), user('restart', UNIT)],
    stop: [user('disable', '--now', UNIT)],
    afterRemoval: [user('daemon-reload')],
    status: user('status', '--no-pager', UNIT),
    hint: 'It ends when you have logged out everywhere, and starts when you log in. To keep it running without you: loginctl enable-linger',
  };
}

function launchd({ home, uid }: ServiceHost): ServiceManager {
  const file = join(home, 'Library', 'LaunchAgents', `${LABEL}.plist`);
  const logFile = join(home, 'Library', 'Logs', 'isthmus.log');
  const domain = `gui/${uid}`;
  return {
    name: 'launchd',
    file,
    textOf: (plan) => marked(launchAgent(plan, logFile)),
    probe: ['launchctl', 'print', domain],
    start: [['launchctl', 'bootstrap', domain, file]],
    stop: [['launchctl', 'bootout', `${domain}/${LABEL}`]],
    afterRemoval: [],
    status: ['launchctl', 'print', `${domain}/${LABEL}`],
    hint: `It runs while you are logged in. What it writes is in ${logFile}.`,
  };
}
