import { sdkVersions } from '../engine/environment/executable.ts';
import { type ApiAddress, apiAddress, leadsToItself } from './api-address.ts';
import { checkAgents } from './check-agents.ts';
import { binaryFindings, lookAtBinary } from './check-binary.ts';
import { checkCertificates } from './check-certificates.ts';
import { checkClaudeSettings } from './check-claude-settings.ts';
import { checkClients } from './check-clients.ts';
import { clockFindings } from './check-clock.ts';
import { checkCredential } from './check-credential.ts';
import { checkDisk } from './check-disk.ts';
import { checkIsthmus } from './check-isthmus.ts';
import { checkMemory } from './check-memory.ts';
import { checkOpenFiles } from './check-open-files.ts';
import { checkPort } from './check-port.ts';
import { checkProxy } from './check-proxy.ts';
import { reachFindings } from './check-reach.ts';
import { checkTurn } from './check-turn.ts';
import { type Finding, findingsOf, type Surroundings } from './finding.ts';
import { type FreeAnswer, freeAnswer } from './free-answer.ts';

export interface ExamineOptions {
  /** Whether to leave out what takes seconds: to ask Claude Code for the credential, and the free turn. */
  isQuick: boolean;
}

/**
 * Looks at everything that Isthmus stands on, at once. It calls no model that is paid, sends no credential of its own accord, and
 * shows no value of a variable.
 *
 * @returns the findings of each check, in the order in which to tell them
 */
export function examine(surroundings: Surroundings, { isQuick }: ExamineOptions): Array<Promise<Finding[]>> {
  const { operator, settings } = surroundings;
  // What leads to Isthmus itself is left out by `isthmus serve`.
  const address = apiAddress(
    leadsToItself(operator, settings) ? { ...operator, ANTHROPIC_BASE_URL: undefined } : operator,
  );
  const binary = lookAtBinary(surroundings);
  const answer = freeAnswerOf(address, surroundings);
  const credential = async () => {
    const [{ kind }, reached] = await Promise.all([binary, answer]);
    const why = [
      isQuick && '--quick leaves that out',
      kind !== 'works' && 'its binary does not run',
      isUnreachable(address, reached) && 'it would wait for api.anthropic.com in vain',
    ].find((reason) => typeof reason === 'string');
    return checkCredential(surroundings, why);
  };
  const turn = async () => ((await binary).kind === 'works' && !isQuick ? checkTurn(surroundings) : []);
  const checks: Array<[name: string, check: () => Finding[] | Promise<Finding[]>]> = [
    ['isthmus', checkIsthmus],
    ['binary', async () => binaryFindings(await binary, sdkVersions().sdk)],
    ['credential', credential],
    ['port', () => checkPort(surroundings)],
    ['proxy', () => checkProxy(surroundings)],
    ['certificates', () => checkCertificates(surroundings)],
    ['api', async () => reachFindings(address, await answer)],
    ['clock', async () => clockFindings(Date.now(), dateOf(await answer))],
    ['disk', () => checkDisk(surroundings)],
    ['memory', () => checkMemory(surroundings)],
    ['open files', () => checkOpenFiles(surroundings)],
    ['claude settings', () => checkClaudeSettings(surroundings)],
    ['clients', () => checkClients(surroundings)],
    ['agents', async () => checkAgents(surroundings, await pathOf(binary))],
    ['turn', turn],
  ];
  return checks.map(([name, check]) => findingsOrFailure(name, check));
}

/** A check that cannot be done is a finding, too: the others are told all the same. */
async function findingsOrFailure(name: string, check: () => Finding[] | Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await check();
  } catch (error) {
    return [findingsOf(name).warning(`This check could not be done: ${(error as Error).message}.`)];
  }
}

async function freeAnswerOf(address: ApiAddress, { operator }: Surroundings): Promise<FreeAnswer | undefined> {
  if (address.kind !== 'known') return undefined;
  const url = new URL(address.url);
  if (address.variable === undefined || address.variable === 'ANTHROPIC_BASE_URL') {
    url.pathname = `${url.pathname.replace(/\/$/, '')}/v1/models`;
  }
  return freeAnswer(url, operator);
}

/** Claude Code asks Anthropic's API at each start and waits for it. */
function isUnreachable(address: ApiAddress, answer: FreeAnswer | undefined): boolean {
  return address.kind === 'known' && address.variable === undefined && answer?.kind === 'failed';
}

const dateOf = (answer: FreeAnswer | undefined): string | undefined =>
  answer?.kind === 'answered' ? answer.date : undefined;

async function pathOf(binary: ReturnType<typeof lookAtBinary>): Promise<string> {
  const seen = await binary;
  return seen.kind === 'missing' ? 'claude' : seen.executable.path;
}
