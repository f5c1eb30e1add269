import { expect, test } from 'vitest';
import { systemdUnit } from './systemd-unit.ts';

/** That systemd takes it is held by test/real/service.test.ts. */
test('the unit says what is started, what ends it and what is not started again', () => {
  const command = ['/opt/my node/$n%', '/opt/isthmus.js', 'serve', '--workspace=/a b/50%/$HOME/"x"\\y\nz'] as const;
  const lines = systemdUnit({ command, environmentFile: '/home/50%/environment', drainSeconds: 30.5 }).split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      String.raw`ExecStart="/opt/my node/$n%%" "/opt/isthmus.js" "serve" "--workspace=/a b/50%%/$$HOME/\"x\"\\y\x0az"`,
      'EnvironmentFile=-/home/50%%/environment',
      'KillMode=mixed',
      'TimeoutStopSec=46',
      'Restart=on-failure',
      'RestartPreventExitStatus=78',
    ]),
  );
  expect(lines.join('\n')).not.toContain('RestartSteps');
});
