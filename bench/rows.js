// @ts-check
import { agentAnswerRow } from './rows/agent-answer.js';
import { clientBlocksRow } from './rows/client-blocks.js';
import { clientGoneRow } from './rows/client-gone.js';
import {
  firstTurnInFullModeRow,
  firstTurnWithFullModeSpareRow,
  firstTurnWithoutSpareRow,
  firstTurnWithSpareRow,
  replayRow,
} from './rows/cold-turns.js';
import { dialectTimeRow } from './rows/dialect-time.js';
import { dialectToolResultRow } from './rows/dialect-tool-result.js';
import { eventRelayRow } from './rows/event-relay.js';
import { crowdGrowth, historyGrowth } from './rows/growth.js';
import { helpTextRow } from './rows/help-text.js';
import { largeBodyRow } from './rows/large-body.js';
import { leftBehindRow } from './rows/left-behind.js';
import { memoryRow } from './rows/memory.js';
import { newAtOnceRow } from './rows/new-at-once.js';
import { oneShotsAtOnceRow } from './rows/one-shots-at-once.js';
import { oneShotsRateRow } from './rows/one-shots-rate.js';
import { ownTimeRow } from './rows/own-time.js';
import { promptPrefixRow } from './rows/prompt-prefix.js';
import { subagentsRow } from './rows/subagents.js';
import { toolThroughputRow } from './rows/tool-throughput.js';
import { usedProcessRow } from './rows/used-process.js';
import { followUpRow, lateToolResultRow, toolResultRow } from './rows/warm-turns.js';
import { MODEL, NEWER_MODEL } from './workload.js';

/**
 * @typedef {object} Row
 * @property {string} name as `--only` looks for it
 * @property {(bench: import('./bench.js').Bench) => Promise<import('./results.js').Result[]>} run
 * @property {import('./surroundings.js').Mode} [mode] of Claude Code, on both sides; bare if absent
 * @property {boolean} [isQuick] whether `--quick` runs it
 */

/** All that is measured, in this order. @type {Row[]} */
export const ROWS = [
  { name: 'tool result', run: toolResultRow, isQuick: true },
  { name: 'tool result, late', run: lateToolResultRow },
  { name: 'follow-up', run: followUpRow, isQuick: true },
  { name: 'first turn, spare', run: firstTurnWithSpareRow, isQuick: true },
  { name: 'first turn, no spare', run: firstTurnWithoutSpareRow },
  { name: 'replay 2', run: replayRow('2 messages', 2, 1_000, 50) },
  { name: 'replay 20', run: replayRow('20 messages', 20, 20_000, 50), isQuick: true },
  { name: 'replay 200 KB', run: replayRow('200 KB', 60, 200_000, 50) },
  { name: 'replay 2 MB', run: replayRow('2 MB', 200, 2_000_000, 150) },
  { name: 'used process', run: usedProcessRow, isQuick: true },
  { name: 'tool result, full mode', mode: 'full', run: toolResultRow, isQuick: true },
  { name: 'follow-up, full mode', mode: 'full', run: followUpRow },
  { name: 'first turn, full mode', mode: 'full', run: firstTurnInFullModeRow, isQuick: true },
  { name: 'first turn, spare, full mode', mode: 'full', run: firstTurnWithFullModeSpareRow },
  { name: 'replay 20, full mode', mode: 'full', run: replayRow('20 messages', 20, 20_000, 50) },
  { name: 'used process, full mode', mode: 'full', run: usedProcessRow },
  { name: 'agent, first answer', mode: 'full', run: agentAnswerRow, isQuick: true },
  { name: 'throughput', run: toolThroughputRow, isQuick: true },
  { name: 'new at once', run: newAtOnceRow },
  { name: 'one-shots at once', run: oneShotsAtOnceRow, isQuick: true },
  { name: 'one-shots a second', run: oneShotsRateRow },
  { name: 'one-shots a second, full mode', mode: 'full', run: oneShotsRateRow },
  { name: 'subagents', run: subagentsRow },
  { name: 'subagents, full mode', mode: 'full', run: subagentsRow },
  { name: 'client gone', run: clientGoneRow, isQuick: true },
  { name: 'own time', run: ownTimeRow, isQuick: true },
  { name: 'own time by dialect', run: dialectTimeRow, isQuick: true },
  { name: 'tool result by dialect', run: dialectToolResultRow, isQuick: true },
  { name: 'event relay', run: eventRelayRow, isQuick: true },
  { name: 'large body', run: largeBodyRow, isQuick: true },
  { name: 'client blocks', run: clientBlocksRow(MODEL), isQuick: true },
  { name: 'prompt prefix', run: promptPrefixRow(MODEL), isQuick: true },
  { name: 'client blocks, full mode', mode: 'full', run: clientBlocksRow(MODEL) },
  { name: 'client blocks, full mode, newer model', mode: 'full', run: clientBlocksRow(NEWER_MODEL), isQuick: true },
  { name: 'prompt prefix, full mode', mode: 'full', run: promptPrefixRow(MODEL) },
  { name: 'prompt prefix, full mode, newer model', mode: 'full', run: promptPrefixRow(NEWER_MODEL), isQuick: true },
  { name: 'help text', run: helpTextRow, isQuick: true },
  { name: 'left behind', run: leftBehindRow, isQuick: true },
  { name: 'memory', run: memoryRow, isQuick: true },
  { name: 'growth, conversations', run: crowdGrowth, isQuick: true },
  { name: 'growth, history', run: historyGrowth, isQuick: true },
];

/**
 * @param {import('./options.js').Options} options
 * @returns {Row[]} those to run; a row that `--only` names runs also with `--quick`
 */
export function chosenRows({ only, isQuick }) {
  if (only !== '') return ROWS.filter(({ name }) => name.includes(only));
  return ROWS.filter((row) => !isQuick || row.isQuick);
}
