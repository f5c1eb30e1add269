import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { isOn } from '../engine/environment/providers.ts';
import { BootError } from './boot-error.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Refuses a base URL with which every turn would fail. The error does not show the value: it may hold a password.
 *
 * @throws BootError
 */
export function checkBaseUrl(value: string | undefined): void {
  if (!value || (URL.canParse(value) && ['http:', 'https:'].includes(new URL(value).protocol))) return;
  throw new BootError(
    'ANTHROPIC_BASE_URL is not the URL of a server. Write it with its scheme: ANTHROPIC_BASE_URL=https://HOST, or http://127.0.0.1:PORT.',
  );
}

/**
 * Refuses a switch that Claude Code would ignore in silence, so that something else would pay.
 *
 * @param operator the environment that credentials come from
 * @throws BootError
 */
export function checkGatewaySwitch(operator: Variables): void {
  if (!isOn(operator.CLAUDE_CODE_USE_GATEWAY)) return;
  if (operator.ANTHROPIC_BASE_URL && operator.ANTHROPIC_AUTH_TOKEN) return;
  throw new BootError(
    'CLAUDE_CODE_USE_GATEWAY needs ANTHROPIC_BASE_URL and ANTHROPIC_AUTH_TOKEN; Claude Code ignores it without them. Set both, or unset it.',
  );
}

/**
 * Refuses an environment in which a process and the SDK would read different configurations: for a replay the SDK copies the
 * one in this process's own home.
 *
 * @param operator the environment that the login comes from
 * @param own this process's environment
 * @throws BootError
 */
export function checkHome(operator: Variables, own: Variables): void {
  if (operator.CLAUDE_CONFIG_DIR) return;
  if (own.CLAUDE_CONFIG_DIR === undefined && (!operator.HOME || resolve(operator.HOME) === resolve(homedir()))) return;
  throw new BootError(
    'The environment has another HOME or CLAUDE_CONFIG_DIR than this process, and the Agent SDK reads both. Put CLAUDE_CONFIG_DIR into the environment that the gateway is given.',
  );
}
