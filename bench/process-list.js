// @ts-check
import { readdirSync, readFileSync } from 'node:fs';
import { processMemory } from '../dist/src/engine/process/memory.js';

/** Linux counts processor time in hundredths of a second, whatever its clock is. */
const TICK_MS = 10;

/** Whether the system lists its processes (Linux). */
export const CAN_LIST = process.platform === 'linux';

/**
 * The living processes whose environment has this text.
 *
 * @param {string} text
 * @returns {number[]}
 */
export function processesWith(text) {
  return pids().filter((pid) => isAlive(pid) && read(`/proc/${pid}/environ`).includes(text));
}

/**
 * The memory of several processes together, with their shares of shared pages.
 *
 * @param {readonly number[]} those
 */
export async function memoryMb(those) {
  let sum = 0;
  for (const bytes of await Promise.all(those.map((pid) => processMemory(pid)))) sum += bytes ?? 0;
  return sum / 1024 / 1024;
}

/**
 * The processor time of several processes and of those of their children that have ended, in milliseconds.
 *
 * @param {readonly number[]} those
 */
export function processorMs(those) {
  const ticks = those.map((pid) => {
    const fields = read(`/proc/${pid}/stat`).split(') ')[1]?.split(' ') ?? [];
    return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  });
  return ticks.reduce((sum, each) => sum + each, 0) * TICK_MS;
}

function pids() {
  return readdirSync('/proc').map(Number).filter(Boolean);
}

/** A zombie, which waits for its parent to read its exit code, counts as exited. @param {number} pid */
function isAlive(pid) {
  const state = /\) (\w)/.exec(read(`/proc/${pid}/stat`))?.[1];
  return state !== undefined && state !== 'Z' && state !== 'X';
}

/** @param {string} file of a process that may be gone, or another user's */
function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
