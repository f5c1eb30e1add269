import { existsSync } from 'node:fs';
import { isLoopback } from '../access/request-guard.ts';
import { UneditableText } from '../setup/change.ts';
import { pointedAt } from '../setup/pointed-at.ts';
import { readSettingsFile, textOf } from '../setup/settings-file.ts';
import { SetupError } from '../setup/setup-error.ts';
import { CLIENT_FILES, type EditableFile } from '../setup/setup-table.ts';
import { leadsTo, leadsToItself } from './api-address.ts';
import { lookAtSettings } from './check-claude-settings.ts';
import { type Finding, findingsOf, type Surroundings, type Variables } from './finding.ts';

/** Where a client is pointed by a file of its own. */
export interface SeenClient {
  title: string;
  path: string;
  /** It is compared, and not shown. */
  baseUrl: string;
  /** The word by which `isthmus setup` writes that file; absent for a project’s. */
  setup?: string;
  /** What in the file keeps the client from a gateway all the same; one sentence each. */
  hindrances: readonly string[];
}

/** A client whose file cannot be read. */
export type UnreadClient = Pick<SeenClient, 'title' | 'path'> & { setup: string };

const { ok, note, warning } = findingsOf('clients');

/** Whether Isthmus and its clients are led to the right address. */
export function clientsFindings(
  clients: ReadonlyArray<SeenClient | UnreadClient>,
  { settings, operator }: Pick<Surroundings, 'settings' | 'operator'>,
): Finding[] {
  const findings = clients.flatMap((client) => {
    const { title, path, setup } = client;
    if (!('baseUrl' in client)) {
      return [
        note(
          `${path} cannot be read, so it is not known where ${title} is pointed.`,
          `\`isthmus setup ${setup}\` says what is wrong with it.`,
        ),
      ];
    }
    const { baseUrl, hindrances } = client;
    if (leadsTo(baseUrl, settings)) {
      const hindered = hindrances.map((text) => warning(`${title}: ${text}`));
      return [ok(`${title} is pointed at Isthmus (${path}).`), ...hindered];
    }
    if (!leadsToThisMachine(baseUrl)) return [];
    return [
      warning(
        `${title} is pointed at this machine, but at another port than that of Isthmus, ${settings.port} (${path}).`,
        setup === undefined
          ? 'Write the right port there, unless another program is meant.'
          : `\`isthmus setup ${setup}\` writes the right one, unless another program is meant.`,
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

/**
 * The clients that keep an address where setup would write it, by the file that wins. A file that setup leaves alone, such as one
 * that is full of keys, is not read here either.
 */
export function lookAtClients(operator: Variables): Array<SeenClient | UnreadClient> {
  return CLIENT_FILES.flatMap((client) => {
    if (client.whyByHand !== undefined || client.printed) return [];
    const path = client.files(operator).all.findLast((file) => existsSync(file));
    return path === undefined ? [] : lookAtFile(client, path);
  });
}

function lookAtFile(client: EditableFile, path: string): Array<SeenClient | UnreadClient> {
  const { name: setup, title, hindrances } = client;
  try {
    const text = textOf(readSettingsFile(path));
    return pointedAt(client, text).map(({ baseUrl }) => ({
      ...{ title, path, baseUrl, setup },
      hindrances: hindrances?.(text) ?? [],
    }));
  } catch (error) {
    if (error instanceof SetupError || error instanceof UneditableText) return [{ title, path, setup }];
    throw error;
  }
}

export function checkClients(surroundings: Surroundings): Finding[] {
  // A project's settings of Claude Code win over the user's, which setup writes.
  const others = lookAtSettings(surroundings).flatMap(({ path, owner, baseUrl }) =>
    owner === 'user' || baseUrl === undefined ? [] : [{ title: 'Claude Code', path, baseUrl, hindrances: [] }],
  );
  return clientsFindings([...lookAtClients(surroundings.operator), ...others], surroundings);
}
