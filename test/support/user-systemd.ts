import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './gateway.ts';

/** A real systemd that manages the services of a user, for tests. */

const SYSTEMD = '/lib/systemd/systemd';

/**
 * It wants a tree of control groups of version 2, and a machine that systemd has started. Both are put before it in a mount
 * namespace of its own; its socket lies in the user's runtime directory, and so is reached from outside.
 */
const START = `set -e
umount --lazy /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
mkdir -p "/sys/fs/cgroup/$1"
echo $$ > "/sys/fs/cgroup/$1/cgroup.procs"
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system
exec ${SYSTEMD} --user --log-target=console --log-level=warning`;

const succeeds = (program: string, ...args: string[]) => spawnSync(program, args, { stdio: 'ignore' }).status === 0;

/** Why there is none here; undefined where there is. */
export const NO_SYSTEMD =
  (process.getuid?.() !== 0 && 'only root can give it a mount namespace') ||
  (!succeeds(SYSTEMD, '--version') && 'systemd is not installed') ||
  (!succeeds('unshare', '--mount', 'mount', '-t', 'cgroup2', 'none', '/sys/fs/cgroup') &&
    'it gets no control groups') ||
  undefined;

/** For the name of what is skipped then. */
export const MANAGED = NO_SYSTEMD ? `(SKIPPED: ${NO_SYSTEMD})` : '(a real systemd)';

export interface UserSystemd {
  /** What its clients need to find it. */
  env: Record<string, string>;
  /** Runs `systemctl --user`. @returns its output */
  control: (...args: string[]) => string;
  stop: () => Promise<void>;
}

/** @param env of the user; its home has the units */
export async function startUserSystemd(env: Record<string, string>): Promise<UserSystemd> {
  const runtime = join(env.HOME ?? '', 'runtime');
  mkdirSync(runtime, { mode: 0o700, recursive: true });
  const group = `isthmus-test-${process.pid}`;
  const full = { ...env, XDG_RUNTIME_DIR: runtime };
  const manager = spawn('unshare', ['--mount', 'sh', '-c', START, 'sh', group], { env: full, stdio: 'inherit' });
  const control = (...args: string[]) =>
    execFileSync('systemctl', ['--user', ...args], { env: full, encoding: 'utf8' });
  await until(
    'systemd answers',
    () => spawnSync('systemctl', ['--user', 'show-environment'], { env: full }).status === 0,
  );
  return {
    env: full,
    control,
    stop: async () => {
      const exited = once(manager, 'exit');
      manager.kill('SIGTERM');
      await exited;
      try {
        rmdirSync(join('/sys/fs/cgroup/unified', group));
      } catch {
        // It has groups below it for a moment, or lies elsewhere; an empty group holds nothing.
      }
    },
  };
}
