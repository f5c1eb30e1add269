import { networkInterfaces } from 'node:os';
import { afterAll, afterEach, beforeAll, describe, expect, it, type RunnerTestFile } from 'vitest';
import type { ContentBlock, ModelRequest } from '../../scripted-model/script.ts';
import { foldMessage } from '../support/fold-message.ts';
import { ASPECT_NAMES, blocksOf, compare } from './comparison.ts';
import { asAnswered, betasAsDeclared, betasIn } from './declared.ts';
import { type AgentDefinitions, type Observation, Stage } from './stage.ts';
import { waysIn } from './ways.ts';

/** The path where a conversation is not continued: a process of the same words may be there to go back, or may not. */
export const REPLAY: unknown = expect.stringMatching(/^(replay|rewind)$/);

const PLAYS_ALL = process.env.ISTHMUS_CLIENTS_ALL === '1';

/**
 * Of scenarios that differ by a model or an error, those to play: every day a part, with `npm run test:clients -- --all`
 * all.
 */
export function toPlay<Row>(rows: readonly Row[], isEveryday: (row: Row) => boolean): Row[] {
  return rows.filter((row) => PLAYS_ALL || isEveryday(row));
}

/** `describe` of a scenario whose paths others take every day, or another client: played with `--all` alone. */
export function describeOfAll(name: string, checks: () => void): void {
  // Declared only then: a check that was not reached counts as failed.
  if (PLAYS_ALL) describe(name, checks);
}

/**
 * Sets the stage for all checks of a file, and checks that nothing but loopback can be reached from it.
 *
 * @param agents of the gateway; none by default
 * @param flags further ones of the gateway
 * @returns the stage, once the checks have begun
 */
export function onStage(agents?: AgentDefinitions, flags?: readonly string[]): () => Stage {
  let stage: Stage;
  let hasFailed = false;
  let file: RunnerTestFile | undefined;

  beforeAll(async () => {
    stage = await Stage.start(agents, flags);
  });

  afterEach(({ task }) => {
    hasFailed ||= task.result?.state === 'fail';
    file = task.file;
  });

  afterAll(async () => {
    if (hasFailed) console.log(`\nThe gateway's output:\n${stage.gatewayOutput}`);
    await stage?.close();
    if (file) file.meta.ways = waysIn(stage.gatewayOutput);
  });

  // Declared only where it can hold: a check that was not reached counts as failed.
  if (process.env.ISTHMUS_CLIENTS_NETWORK === 'loopback') {
    it('nothing but loopback exists', () => {
      expect(Object.keys(networkInterfaces())).toEqual(['lo']);
    });
  }
  return () => stage;
}

/**
 * The checks that hold for every request of every scenario.
 *
 * @param client the client's name
 * @param path where it has to send its requests
 * @param others what else it may ask for, as method and path
 */
export function checkEveryRequest(
  client: string,
  path: string,
  others: string[],
  stage: () => Stage,
  observation: () => Observation<unknown>,
): void {
  it(`${client} asked for nothing but what it has to, and each answer is whole and grammatical`, () => {
    for (const { path: asked, status, outcome, departure } of observation().exchanges) {
      expect([asked, status, outcome]).toEqual([path, 200, 'whole']);
      expect(departure).toBeUndefined();
    }
    const asked = observation().others.map((other) => `${other.method} ${other.path}`);
    expect(asked.filter((other) => !others.includes(other))).toEqual([]);
  });
  it('each model call was answered', () => {
    const { seen } = observation();
    expect(seen.filter(({ outcome }) => outcome !== 'answered')).toEqual([]);
  });
  checkCalls(observation);
  checkWhatTheModelSaw(client, observation);
  checkAnswers(client, stage, observation);
}

/** The check that holds wherever Claude Code repeats no call unannounced. */
export function checkCalls(observation: () => Observation<unknown>): void {
  it('one model call for each request', () => {
    const { exchanges, seen, pairs } = observation();
    expect(seen).toHaveLength(exchanges.length);
    expect(pairs).toHaveLength(exchanges.length);
  });
}

/** The checks that hold for every request, whatever becomes of it. */
export function checkWhatTheModelSaw(client: string, observation: () => Observation<unknown>): void {
  for (const aspect of ASPECT_NAMES) {
    it(`${aspect}: the model saw what ${client} sent, in every request`, () => {
      const { exchanges, pairs } = observation();
      expect(pairs).toHaveLength(exchanges.length);
      // Each request carries all that came before, so one difference shows up in many.
      expect([...new Set(pairs.flatMap((pair) => compare(aspect, pair)))]).toEqual([]);
    });
  }
  it(`betas: the model’s API got what ${client} sent, once each`, () => {
    const { exchanges, expected, seen, pairs } = observation();
    for (const [index, { headers, answerHeaders }] of exchanges.entries()) {
      const body = pairs.find((pair) => pair.sent === expected[index])?.seen;
      const betas = betasIn(seen.find((request) => request.body === body)?.headers ?? {});
      expect(betas).toEqual(expect.arrayContaining(betasAsDeclared(headers, answerHeaders)));
      expect(betas).toHaveLength(new Set(betas).size);
    }
  });
}

/** The check that holds for every answer that came to its end. */
export function checkAnswers(client: string, stage: () => Stage, observation: () => Observation<unknown>): void {
  it(`each answer that ${client} got is the model’s answer to that very request`, () => {
    const { exchanges, expected, pairs } = observation();
    for (const [index, { events }] of exchanges.entries()) {
      const seen = pairs.find((pair) => pair.sent === expected[index])?.seen;
      const reply = seen && stage().replies.get(seen);
      expect(foldMessage(events).content.map(withoutSignature)).toEqual(asAnswered(reply?.content ?? []));
    }
  });
}

/**
 * The comparison leaves thinking out, because clients may drop it. This is for one that keeps it, with its signature.
 *
 * @param count how many blocks the last request has
 */
export function checkThinking(client: string, count: number, observation: () => Observation<unknown>): void {
  it(`thinking: the model saw what ${client} sent, with its signature`, () => {
    const { pairs, exchanges } = observation();
    for (const { sent, seen } of pairs) expect(thinkingIn(seen)).toEqual(thinkingIn(sent));
    expect(thinkingIn(exchanges.at(-1)?.body)).toHaveLength(count);
  });
}

function thinkingIn(request: ModelRequest | undefined): ContentBlock[] {
  const blocks = request?.messages.flatMap(({ content }) => blocksOf(content)) ?? [];
  return blocks.filter(({ type }) => type === 'thinking');
}

/** The scripted model makes signatures up, so a reply has none to compare with. */
function withoutSignature({ signature: _, ...block }: ContentBlock): object {
  return block;
}
