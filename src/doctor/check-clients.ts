import { isLoopback } from '../access/request-guard.ts';
import { leadsTo, leadsToItself } from './api-address.ts';
import { lookAtSettings } from './check-claude-settings.ts';
import { type Finding, findingsOf, type Surroundings } from './finding.ts';

/** Where a client is pointed by a file of its own. */
export interface SeenClient {
  title: string;
  path: string;
  baseUrl: string;
}

const { ok, note, warning } = findingsOf('clients');

/** Whether Isthmus and its clients are led to the right address. */
export function clientsFindings(
  clients: readonly SeenClient[],
  { settings, operator }: Pick<Surroundings, 'settings' | 'operator'>,
): Finding[] {
  const findings = clients.flatMap(({ title, path, baseUrl }) => {
    if (leadsTo(baseUrl, settings)) return [ok(`${title} is pointed at Isthmus (${path}).`)];
    if (!leadsToThisMachine(baseUrl)) return [];
    return [
      warning(
        `${title} is pointed at this machine, but at another port than that of Isthmus, ${settings.port} (${path}).`,
        `Write the right port there, unless another program is meant; or start Isthmus with that one: --port PORT.`,
      ),
    ];
  });
  if (leadsToItself(operator, settings)) {
    findings.push(
      note(
        'ANTHROPIC_BASE_URL points at Isthmus itself. That is right for clients that start in this shell; `isthmus serve` leaves it out and calls api.anthropic.com.',
        'If Isthmus is to call another API, give it that address where it starts.',
      ),
    );
  }
  return findings.length > 0 ? findings : [ok('No client was seen that is pointed elsewhere.')];
}

function leadsToThisMachine(url: string): boolean {
  return URL.canParse(url) && isLoopback(new URL(url).hostname.replace(/^\[|\]$/g, ''));
}

export function checkClients(surroundings: Surroundings): Finding[] {
  const clients = lookAtSettings(surroundings).flatMap(({ path, baseUrl }) =>
    baseUrl === undefined ? [] : [{ title: 'Claude Code', path, baseUrl }],
  );
  return clientsFindings(clients, surroundings);
}
