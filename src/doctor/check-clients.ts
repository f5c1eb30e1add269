import { isLoopback } from '../access/request-guard.ts';
import { type Json, UneditableText } from '../setup/change.ts';
import { readSettingsFile, textOf } from '../setup/settings-file.ts';
import { SetupError } from '../setup/setup-error.ts';
import { CLIENT_FILES, type ClientFile } from '../setup/setup-table.ts';
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

const { ok, note, warning } = findingsOf('clients');

/** Stands for the address of the gateway in what setup would write. */
const GATEWAY = 'http://gateway.invalid';

/** Whether Isthmus and its clients are led to the right address. */
export function clientsFindings(
  clients: readonly SeenClient[],
  { settings, operator }: Pick<Surroundings, 'settings' | 'operator'>,
): Finding[] {
  const findings = clients.flatMap(({ title, path, baseUrl, setup, hindrances }) => {
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
export function lookAtClients(operator: Variables): SeenClient[] {
  return CLIENT_FILES.filter(({ whyByHand }) => whyByHand === undefined).flatMap((client) => {
    const { name, title, files, hindrances } = client;
    return files(operator)
      .all.map((path) => ({ path, text: textAt(path) }))
      .flatMap(({ path, text }) => (text === undefined ? [] : [{ path, text }]))
      .slice(-1)
      .flatMap(({ path, text }) =>
        addressesOf(client, text).map((baseUrl) => ({
          title,
          path,
          baseUrl,
          setup: name,
          hindrances: hindrances?.(text) ?? [],
        })),
      );
  });
}

function textAt(path: string): string | undefined {
  try {
    const file = readSettingsFile(path);
    return file.bytes && textOf(file);
  } catch (error) {
    // `isthmus setup` says what is wrong with it.
    if (error instanceof SetupError) return undefined;
    throw error;
  }
}

function addressesOf({ format, changes }: ClientFile, text: string): string[] {
  try {
    return changes(GATEWAY).flatMap((change) =>
      addressesIn(format.read(text, change), change.kind === 'value' ? change.value : change.item),
    );
  } catch (error) {
    if (error instanceof UneditableText) return [];
    throw error;
  }
}

/** What stands where the gateway's address would. */
function addressesIn(found: Json | undefined, wanted: Json): string[] {
  if (typeof wanted === 'string') return wanted.startsWith(GATEWAY) && typeof found === 'string' ? [found] : [];
  if (!isObject(wanted) || !isObject(found)) return [];
  return Object.entries(wanted).flatMap(([name, value]) => addressesIn(found[name], value));
}

const isObject = (value: Json | undefined): value is { [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function checkClients(surroundings: Surroundings): Finding[] {
  // A project's settings of Claude Code win over the user's, which setup writes.
  const others = lookAtSettings(surroundings).flatMap(({ path, owner, baseUrl }) =>
    owner === 'user' || baseUrl === undefined ? [] : [{ title: 'Claude Code', path, baseUrl, hindrances: [] }],
  );
  return clientsFindings([...lookAtClients(surroundings.operator), ...others], surroundings);
}
