import { tmpdir } from 'node:os';
import { checkSandbox, describeSandboxProblem } from '../../src/engine/agents/sandbox-check.ts';

/** Why commands cannot be confined on this machine; undefined where they can. */
export const NO_SANDBOX = await checkSandbox({ PATH: process.env.PATH ?? '' }, { temporary: tmpdir() });

/** For the name of what is skipped then. */
export const SANDBOXED = NO_SANDBOX ? `(SKIPPED: ${describeSandboxProblem(NO_SANDBOX)})` : '(in the sandbox)';
