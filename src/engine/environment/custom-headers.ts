import { VIA_HEADER } from '../../spec/via.ts';

/** Headers that Claude Code adds to each of its requests, one a line. */
export const CUSTOM_HEADERS = 'ANTHROPIC_CUSTOM_HEADERS';

/**
 * The operator's headers, and the ids of the gateways that a request came through.
 *
 * @param headers in the form of the variable
 */
export function withVia(headers: string | undefined, via: readonly string[]): string {
  return [...others(headers), `${VIA_HEADER}: ${via.join(', ')}`].join('\n');
}

/** Whether there are headers of the operator's among them; one may be a secret. */
export function hasOthers(headers: string | undefined): boolean {
  return others(headers).length > 0;
}

function others(headers = ''): string[] {
  return headers
    .split('\n')
    .filter((line) => line.trim() !== '' && line.split(':')[0]?.trim().toLowerCase() !== VIA_HEADER);
}
