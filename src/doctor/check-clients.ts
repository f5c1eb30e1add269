import { leadsToItself } from './api-address.ts';
import { type Finding, findingsOf, type Surroundings } from './finding.ts';

const { ok, warning } = findingsOf('clients');

/** Whether what clients and Isthmus itself share leads them to the right address. */
export function clientsFindings({ settings, operator }: Pick<Surroundings, 'settings' | 'operator'>): Finding[] {
  if (leadsToItself(operator, settings)) {
    return [
      warning(
        'ANTHROPIC_BASE_URL points at Isthmus itself. That is right for clients that start in this shell; `isthmus serve` leaves it out and calls api.anthropic.com.',
        'Unset it where Isthmus starts, or give it the address of the model’s API there.',
      ),
    ];
  }
  return [ok('This shell’s ANTHROPIC_BASE_URL does not lead Isthmus to itself.')];
}

export const checkClients = (surroundings: Surroundings): Finding[] => clientsFindings(surroundings);
