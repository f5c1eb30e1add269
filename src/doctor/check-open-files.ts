import { type Finding, findingsOf, type Surroundings } from './finding.ts';

/** The open files that a process takes of Isthmus, and what Isthmus takes without any. */
const OF_PROCESS = 12;
const OF_GATEWAY = 100;

const { ok, note, warning } = findingsOf('open files');

/**
 * @param limit how many files Isthmus may have open; undefined where the system does not tell
 * @param maxProcesses that run at a time
 */
export function openFilesFindings(limit: number | 'unlimited' | undefined, maxProcesses: number): Finding[] {
  if (limit === undefined) return [note('How many files may be open at a time, this system does not tell.')];
  const needed = OF_GATEWAY + OF_PROCESS * maxProcesses;
  if (limit !== 'unlimited' && limit < needed) {
    return [
      warning(
        `${limit} files may be open at a time (\`ulimit -n\`), and ${maxProcesses} processes take some ${needed}.`,
        `Raise it (\`ulimit -n ${2 * needed}\`, LimitNOFILE= of a service), or lower --max-processes.`,
      ),
    ];
  }
  return [
    ok(
      `${limit === 'unlimited' ? 'Any number of' : limit} files may be open at a time; ${maxProcesses} processes take some ${needed}.`,
    ),
  ];
}

/** As Node has it: it raises its own limit to the hard one when it starts. */
function lookAtLimit(): number | 'unlimited' | undefined {
  const { userLimits } = process.report.getReport() as {
    userLimits?: { open_files?: { soft?: number | 'unlimited' } };
  };
  return userLimits?.open_files?.soft;
}

export const checkOpenFiles = ({ settings }: Surroundings): Finding[] =>
  openFilesFindings(lookAtLimit(), settings.maxProcesses);
