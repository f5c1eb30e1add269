import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { BootError } from './boot-error.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Refuses an environment in which every turn would fail, or a process and the SDK would read different configurations.
 *
 * @param operator the environment that credentials come from
 * @param own this process's environment, which the SDK reads
 * @throws BootError
 */
export function checkSurroundings(operator: Variables, own: Variables): void {
  checkBaseUrl(operator.ANTHROPIC_BASE_URL);
  checkHome(operator, own);
}

/** The error does not show the value: it may hold a password. */
function checkBaseUrl(value: string | undefined): void {
  if (!value || (URL.canParse(value) && ['http:', 'https:'].includes(new URL(value).protocol))) return;
  throw new BootError(
    'ANTHROPIC_BASE_URL is not the URL of a server. Write it with its scheme: ANTHROPIC_BASE_URL=https://HOST, or http://127.0.0.1:PORT.',
  );
}

/** For a replay the SDK copies the configuration in this process's own home. */
function checkHome(operator: Variables, own: Variables): void {
  if (operator.CLAUDE_CONFIG_DIR) return;
  if (own.CLAUDE_CONFIG_DIR === undefined && (!operator.HOME || resolve(operator.HOME) === resolve(homedir()))) return;
  throw new BootError(
    'The environment has another HOME or CLAUDE_CONFIG_DIR than this process, and the Agent SDK reads both. Put CLAUDE_CONFIG_DIR into the environment that the gateway is given.',
  );
}
