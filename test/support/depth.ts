import fc from 'fast-check';

/**
 * How deep the property tests go: a few runs every day, all of them in `npm run test:soak`. The one place where a test's
 * depth is set.
 */

interface Depths {
  /** In `npm test` and `npm run test:real`. */
  EVERYDAY_RUNS: number;
  /** In `npm run test:soak`. */
  SOAK_RUNS: number;
  /** Of the everyday runs, so that a red one is anybody's. */
  SEED: number;
  /** Its part of a soak's minutes, beside those of the others. */
  SHARE: number;
}

const DEPTHS = {
  /** Conversations of three to nine turns. */
  conversations: { EVERYDAY_RUNS: 2, SOAK_RUNS: 100, SEED: 20_261_122, SHARE: 4 },
  /** The same without bare mode. */
  conversationsInFullMode: { EVERYDAY_RUNS: 2, SOAK_RUNS: 100, SEED: 20_261_126, SHARE: 3 },
  /** Answers that are sent back, over the test engine and over the real SDK. */
  answersTakenBack: { EVERYDAY_RUNS: 50, SOAK_RUNS: 5_000, SEED: 20_261_126, SHARE: 1 },
  answersTakenBackByTheSdk: { EVERYDAY_RUNS: 4, SOAK_RUNS: 300, SEED: 20_261_126, SHARE: 3 },
  /** Up to fourteen batches of up to six turns at one time, over the test engine. */
  reuse: { EVERYDAY_RUNS: 100, SOAK_RUNS: 10_000, SEED: 20_261_126, SHARE: 1 },
  /** Up to twelve batches of up to two turns at one time, over the real SDK; each turn is taken by a new process, too. */
  reuseByTheSdk: { EVERYDAY_RUNS: 3, SOAK_RUNS: 100, SEED: 20_261_126, SHARE: 3 },
  /** Lists of six to fourteen turns with a fault each. */
  faultsInAnyOrder: { EVERYDAY_RUNS: 3, SOAK_RUNS: 40, SEED: 20_262_045, SHARE: 4 },
  /** Of the events of one answer, how many are the last before a cut, by each way to cut it. */
  cutsOfOneAnswer: { EVERYDAY_RUNS: 6, SOAK_RUNS: 40, SEED: 20_261_126, SHARE: 2 },
  /** Lives of a gateway that is killed again and again. */
  killedGateways: { EVERYDAY_RUNS: 2, SOAK_RUNS: 6, SEED: 0, SHARE: 1 },
  /** Conversations that share five processes. */
  crowd: { EVERYDAY_RUNS: 10, SOAK_RUNS: 40, SEED: 20_261_123, SHARE: 2 },
  /** Batches of 500 requests in each of five sections. */
  malformedRequests: { EVERYDAY_RUNS: 1, SOAK_RUNS: 20, SEED: 20_261_124, SHARE: 2 },
  /** Requests to OpenAI's two APIs, over the test engine. */
  malformedOpenAi: { EVERYDAY_RUNS: 250, SOAK_RUNS: 20_000, SEED: 20_261_127, SHARE: 1 },
  /** Batches of up to 20 turns. */
  wholeStreams: { EVERYDAY_RUNS: 20, SOAK_RUNS: 2_050, SEED: 20_261_123, SHARE: 1 },
  /** Turns whose stream is damaged in each way that there is. */
  damagedStreams: { EVERYDAY_RUNS: 30, SOAK_RUNS: 2_050, SEED: 20_261_123, SHARE: 1 },
  /** Turns whose stream is cut. */
  cutStreams: { EVERYDAY_RUNS: 60, SOAK_RUNS: 2_050, SEED: 20_261_123, SHARE: 1 },
  /** Settings files of clients, changed and taken back. */
  settingsFiles: { EVERYDAY_RUNS: 100, SOAK_RUNS: 20_000, SEED: 20_261_126, SHARE: 0.25 },
  /** Answers in OpenAI's form. */
  chatAnswers: { EVERYDAY_RUNS: 300, SOAK_RUNS: 20_000, SEED: 20_261_126, SHARE: 0.25 },
  responsesAnswers: { EVERYDAY_RUNS: 300, SOAK_RUNS: 20_000, SEED: 20_261_126, SHARE: 0.25 },
  /** Batches of up to ten turns with a keep-alive anywhere: encoded, and through the gateway over the test engine; then turns whose own events, or whose stream, are damaged or cut. */
  openAiStreams: { EVERYDAY_RUNS: 20, SOAK_RUNS: 1_000, SEED: 20_261_127, SHARE: 0.5 },
  openAiTurns: { EVERYDAY_RUNS: 25, SOAK_RUNS: 1_000, SEED: 20_261_127, SHARE: 0.5 },
  openAiDamagedTurns: { EVERYDAY_RUNS: 300, SOAK_RUNS: 20_000, SEED: 20_261_127, SHARE: 0.25 },
  openAiDamagedStreams: { EVERYDAY_RUNS: 100, SOAK_RUNS: 2_050, SEED: 20_261_128, SHARE: 0.5 },
  openAiCutStreams: { EVERYDAY_RUNS: 60, SOAK_RUNS: 5_000, SEED: 20_261_127, SHARE: 0.25 },
  /** Bodies of requests. */
  decodedBodies: { EVERYDAY_RUNS: 500, SOAK_RUNS: 5_000, SEED: 20_261_124, SHARE: 1 },
} satisfies Record<string, Depths>;

/**
 * Tables that are too wide for every day, see {@link testParts}: a part of their rows runs every day, and the others in the
 * soak. One that goes by minutes takes some of the tables; by the seed of the next day those that come next.
 */
export const WIDE_TABLES = [
  'passedFields',
  'kindsOfContent',
  'safeguards',
  'faultsOfTheApi',
  'fullMode',
  'loginsThatRunOut',
  'signIns',
  'namedCredentials',
  'usedProcesses',
  'errorsPassedOn',
  'clientLeaves',
  'foreignConfiguration',
  'processes',
  'killedProcesses',
  'hangingProcesses',
  'fullDisks',
  'rings',
  'imagesByModel',
  'endsOfAnswers',
  'heldResults',
  'reservedNames',
  'brokenStreams',
  'modelsOfTheSdk',
  'sdkErrors',
  'sdkRecordings',
  'engine',
  'mistakes',
  'agents',
  'brokenBinaries',
  'installs',
] as const;
export type WideTable = (typeof WIDE_TABLES)[number];

/** Of a soak's minutes, beside the shares above. */
const SHARE_OF_TABLES = 16;

/** The least that a wide table gets of a soak's minutes, in seconds: a gateway of its own, and some rows. */
const LEAST_OF_A_TABLE = 20;

/** What a soak of minutes spends beside its tests, in seconds: on the build, and on gateways that start and stop. */
const AROUND_THE_TESTS = 80;

/**
 * Files that run side by side, see vitest.config.ts. On two cores a third saves a quarter of the time, but a busy machine loses the
 * race of decision 4.
 */
export const WORKERS = 2;

export interface Depth {
  runs: number;
  seed: number;
  /** Whether the test's part of the soak is over; what is left of its runs is then not made. Never true every day. */
  isOver(): boolean;
}

/** @returns how long one part of a soak may take, in milliseconds; every day for ever */
function timeOf(share: number): number {
  const { ISTHMUS_SOAK_MINUTES: minutes = Infinity } = process.env;
  const shares = Object.values(DEPTHS).reduce((sum, { SHARE }) => sum + SHARE, SHARE_OF_TABLES);
  const seconds = Number(minutes) * 60;
  return (Math.max(seconds - AROUND_THE_TESTS, seconds / 2) * 1_000 * WORKERS * share) / shares;
}

/**
 * How deep a test goes this time; its part of the soak begins with this call.
 *
 * `ISTHMUS_SOAK_MINUTES` makes it a soak, `ISTHMUS_TEST_RUNS` and `ISTHMUS_TEST_SEED` replace the number and the seed.
 */
export function depthOf(test: keyof typeof DEPTHS): Depth {
  const { EVERYDAY_RUNS, SOAK_RUNS, SEED, SHARE } = DEPTHS[test];
  const { ISTHMUS_SOAK_MINUTES: minutes, ISTHMUS_TEST_RUNS: runs, ISTHMUS_TEST_SEED: seed } = process.env;
  const end = performance.now() + timeOf(SHARE);
  return {
    runs: Number(runs ?? (minutes ? SOAK_RUNS : EVERYDAY_RUNS)),
    seed: Number(seed ?? SEED),
    isOver: () => performance.now() > end,
  };
}

/** A soak's seed, which is another one each day; 0 every day. */
export function soakSeed(): number {
  return Number(process.env.ISTHMUS_TEST_SEED ?? 0);
}

/** What a soak does with the rows of a wide table that do not run every day. */
export interface Width {
  /** @returns the rows to run, in an order of the seed: none of them every day, nor on a day that is another table's */
  take<Row>(rows: readonly Row[]): Row[];
  /** Whether the table's part of the soak is over; it begins with the first call for the table. */
  isOver(): boolean;
}

const endsOfTables = new Map<WideTable, number>();

export function widthOf(table: WideTable): Width {
  const { ISTHMUS_SOAK_MINUTES: minutes } = process.env;
  const seed = soakSeed();
  const most = Math.max(1, Math.floor(timeOf(SHARE_OF_TABLES) / 1_000 / LEAST_OF_A_TABLE));
  const count = Math.min(most, WIDE_TABLES.length);
  const ofTheDay = Array.from({ length: count }, (_, at) => WIDE_TABLES[(seed * count + at) % WIDE_TABLES.length]);
  return {
    take: (rows) => (minutes && ofTheDay.includes(table) ? shuffled(rows, seed) : []),
    isOver() {
      const end = endsOfTables.get(table) ?? performance.now() + timeOf(SHARE_OF_TABLES) / count;
      endsOfTables.set(table, end);
      return performance.now() > end;
    },
  };
}

function shuffled<Item>(items: readonly Item[], seed: number): Item[] {
  const all = { minLength: items.length, maxLength: items.length };
  return fc.sample(fc.shuffledSubarray([...items], all), { seed, numRuns: 1 })[0] ?? [];
}

const SLICE = 25;

/**
 * Checks a property as deep as its test goes this time, slice by slice, so that no more runs are made up than its part of a
 * soak has time for.
 *
 * @param property asks for itself before a run whether the time is over
 */
export async function checkProperty<Values>(
  { runs, seed, isOver }: Depth,
  property: fc.IRawProperty<Values>,
  options: fc.Parameters<Values> = {},
): Promise<void> {
  for (let made = 0; made < runs && !isOver(); made += SLICE) {
    await fc.assert(property, { ...options, numRuns: Math.min(SLICE, runs - made), seed: seed + made });
  }
}
