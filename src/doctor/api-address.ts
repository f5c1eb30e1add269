import { isOwnAddress } from '../access/own-address.ts';
import type { Settings } from '../config/settings.ts';
import { isOn, PROVIDERS } from '../engine/environment/providers.ts';
import type { Variables } from './finding.ts';

/** Where the model's API is, by the variables. */
export type ApiAddress =
  /** `name`: what to call it without showing a value. */
  | { kind: 'known'; url: URL; name: string; variable?: string }
  /** A variable that is not the URL of a server. */
  | { kind: 'broken'; variable: string }
  /** A cloud's own address. */
  | { kind: 'of a cloud'; title: string; variable: string };

/** The variable with the address of each cloud, in the order in which Claude Code takes the first that is turned on. */
const CLOUDS: ReadonlyArray<[provider: string, variable: string]> = [
  ['bedrock', 'ANTHROPIC_BEDROCK_BASE_URL'],
  ['foundry', 'ANTHROPIC_FOUNDRY_BASE_URL'],
  ['anthropicAws', 'ANTHROPIC_AWS_BASE_URL'],
  ['anthropicGoogleCloud', 'ANTHROPIC_GOOGLE_CLOUD_BASE_URL'],
  ['mantle', 'ANTHROPIC_BEDROCK_MANTLE_BASE_URL'],
  ['vertex', 'ANTHROPIC_VERTEX_BASE_URL'],
];

const FIRST_PARTY = 'https://api.anthropic.com';

/** Where calls of the model go with these variables. */
export function apiAddress(operator: Variables): ApiAddress {
  const [cloud, ofCloud] = turnedOn(operator) ?? [];
  const variable = ofCloud ?? 'ANTHROPIC_BASE_URL';
  const value = operator[variable];
  if (value) {
    const isServer = URL.canParse(value) && ['http:', 'https:'].includes(new URL(value).protocol);
    return isServer
      ? { kind: 'known', url: new URL(value), name: `The API at ${variable}`, variable }
      : { kind: 'broken', variable };
  }
  if (cloud !== undefined) return { kind: 'of a cloud', title: PROVIDERS[cloud]?.title ?? cloud, variable };
  return { kind: 'known', url: new URL(FIRST_PARTY), name: 'api.anthropic.com' };
}

/** Whether each process that starts makes calls of the model that nobody asked for, and that are paid. */
export function paysAtStart(operator: Variables): boolean {
  const [cloud] = turnedOn(operator) ?? [];
  const skips = cloud === undefined ? undefined : PROVIDERS[cloud]?.skipsAuth;
  return (cloud === 'bedrock' || cloud === 'mantle') && !(skips && isOn(operator[skips]));
}

/** Where Isthmus would listen. */
type Place = Pick<Settings, 'host' | 'port' | 'socket'>;

/** Whether a URL is where Isthmus would listen. */
export const leadsTo = (url: string, { host, port, socket }: Place): boolean =>
  socket === undefined && isOwnAddress(url, host, port);

/** Whether `ANTHROPIC_BASE_URL` is where Isthmus itself would listen. */
export function leadsToItself({ ANTHROPIC_BASE_URL: url }: Variables, place: Place): boolean {
  return url !== undefined && leadsTo(url, place);
}

function turnedOn(operator: Variables): [provider: string, variable: string] | undefined {
  if (isOn(operator.CLAUDE_CODE_USE_GATEWAY)) return undefined;
  return CLOUDS.find(([provider]) => isOn(operator[PROVIDERS[provider]?.switch ?? '']));
}
