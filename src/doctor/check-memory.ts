import { totalmem } from 'node:os';
import { type Finding, findingsOf, type Surroundings } from './finding.ts';

const MEGABYTE = 1024 * 1024;
/** What the process of a live conversation holds, in megabytes. */
const PROCESS_MB = 130;

/** The memory of this machine, in bytes. */
export interface SeenMemory {
  total: number;
  /** Absent where the system tells only what nobody uses, which caches make small. */
  available?: number;
  /** What the container or service may use; absent without such a limit. */
  limit?: number;
}

const { ok, warning, problem } = findingsOf('memory');

/** @param budgetMb what all processes may hold together (`--max-memory-mb`) */
export function memoryFindings({ total, available, limit = total }: SeenMemory, budgetMb: number): Finding[] {
  const most = Math.floor(Math.min(total, limit) / MEGABYTE);
  const free = available === undefined ? Number.POSITIVE_INFINITY : Math.floor(available / MEGABYTE);
  const allows = Math.floor(budgetMb / PROCESS_MB);
  const findings: Finding[] = [];
  if (budgetMb > most) {
    findings.push(
      warning(
        `--max-memory-mb is ${budgetMb}, more than the ${most} MB that Isthmus can have here: the system may end processes before Isthmus does.`,
        `Lower it to half of that: --max-memory-mb ${Math.floor(most / 2)}.`,
      ),
    );
  }
  if (free < PROCESS_MB) {
    const says = `${free} MB of memory are available, less than one process takes (${PROCESS_MB} MB).`;
    findings.push(problem(says, 'End other programs.'));
  } else if (free < 2 * PROCESS_MB) {
    const says = `${free} MB of memory are available: room for one process.`;
    findings.push(warning(says, 'End other programs, or use --spares 0.'));
  }
  if (findings.length > 0) return findings;
  const rest = available === undefined ? '' : `; ${free} MB are available`;
  return [ok(`Processes may hold ${budgetMb} MB together, some ${allows} of them${rest}.`)];
}

function lookAtMemory(): SeenMemory {
  const limit = process.constrainedMemory();
  // Without a limit it is 0, or a number beyond any memory.
  return {
    total: totalmem(),
    ...(process.platform === 'linux' ? { available: process.availableMemory() } : {}),
    ...(limit > 0 && limit < totalmem() ? { limit } : {}),
  };
}

export const checkMemory = ({ settings }: Surroundings): Finding[] =>
  memoryFindings(lookAtMemory(), settings.maxMemoryMb);
