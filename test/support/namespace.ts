import { spawnSync } from 'node:child_process';

/** Words before a command that give it a PID namespace of its own, as a container has; it is process 1 in it. */
export const ELSEWHERE = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];

/** Whether this machine permits that. */
export const canLeave = spawnSync('unshare', [...ELSEWHERE.slice(1), 'true'], { stdio: 'ignore' }).status === 0;
