import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BootError } from '../boot/boot-error.ts';
import { createGateway } from '../boot/create-gateway.ts';
import { readUserSettings, unloadedProblem } from '../boot/user-settings.ts';
import { isOn, PROVIDERS } from '../engine/environment/providers.ts';
import { leadsToItself, paysAtStart } from './api-address.ts';
import { type Finding, findingsOf, type Surroundings, type Variables } from './finding.ts';

/** What is known of the credential. */
export type SeenCredential =
  /** A gateway booted with it. */
  | { kind: 'booted'; credential: string; mode: 'bare' | 'full'; warnings: readonly string[] }
  /** A gateway did not boot. */
  | { kind: 'not booted'; problem: string }
  /** Nobody was asked; `why`, and which variables that can pay are set. */
  | { kind: 'not asked'; why: string; names: readonly string[] };

const { ok, note, warning, problem } = findingsOf('credential');

const CURE = 'Set a variable that docs/credentials.md names, or sign in with `claude auth login`.';

export function credentialFindings(seen: SeenCredential): Finding[] {
  switch (seen.kind) {
    case 'booted':
      return [
        ok(`${capitalized(seen.credential)} pays, in Claude Code’s ${seen.mode} mode.`),
        ...seen.warnings.map((text) => warning(text)),
      ];
    case 'not booted': {
      const [says = '', ...cure] = seen.problem.split(/(?<=\.) /);
      return [problem(says, cure.join(' ') || CURE)];
    }
    case 'not asked': {
      const found =
        seen.names.length === 0
          ? 'no variable of a credential is set, so `apiKeyHelper` or a login would pay'
          : `set: ${seen.names.join(', ')}`;
      return [note(`Claude Code was not asked which credential pays, since ${seen.why}; ${found}.`)];
    }
  }
}

const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** In the order in which Claude Code prefers them. */
const CLOUDS = Object.values(PROVIDERS).map((provider) => provider.switch);
const CREDENTIALS = ['ANTHROPIC_AUTH_TOKEN', 'ANTHROPIC_API_KEY', 'CLAUDE_CODE_OAUTH_TOKEN'];

/** Which variables that can pay are set. */
export function payingNames(operator: Variables): string[] {
  return [...CLOUDS.filter((name) => isOn(operator[name])), ...CREDENTIALS.filter((name) => operator[name])];
}

/**
 * Boots a gateway with these surroundings on a free port, which asks Claude Code which credential it finds, and stops it again. No
 * model is called.
 *
 * @param whyNot a reason not to ask
 */
export async function checkCredential(surroundings: Surroundings, whyNot: string | undefined): Promise<Finding[]> {
  const { settings, operator } = surroundings;
  const why = whyNot ?? (paysAtStart(operator) ? 'each of its processes makes calls there that are paid' : undefined);
  if (why !== undefined) return credentialFindings({ kind: 'not asked', why, names: payingNames(operator) });
  // Nothing of the state that gateways share is touched.
  const state = mkdtempSync(join(tmpdir(), 'isthmus-doctor-'));
  // The check of Claude Code's settings tells that, and knows what of it is meant for clients of this port.
  const toldElsewhere = unloadedProblem(readUserSettings(operator, () => false)) ?? '';
  const environment: Record<string, string | undefined> = { ...operator, XDG_STATE_HOME: state };
  if (leadsToItself(operator, settings)) delete environment.ANTHROPIC_BASE_URL;
  try {
    const gateway = await createGateway({
      claude: settings.claude,
      port: 0,
      spares: 0,
      environment,
    });
    const { credential, mode, warnings } = gateway;
    await gateway.stop(0);
    const own = warnings.filter((text) => text !== toldElsewhere);
    return credentialFindings({ kind: 'booted', credential, mode, warnings: own });
  } catch (error) {
    if (!(error instanceof BootError)) throw error;
    return credentialFindings({ kind: 'not booted', problem: error.message.replace(toldElsewhere, '').trim() });
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
}
