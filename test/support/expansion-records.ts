import { randomBytes } from 'node:crypto';
import type { ExpansionRecord } from '../../src/spec/expansion-store.ts';

let made = 0;

/** A record like that of a real turn; each is a minute newer than the one before unless it is told. */
export function expansionRecord(given: Partial<ExpansionRecord> & { bytes?: number } = {}): ExpansionRecord {
  made += 1;
  const { bytes = 4_000, ...fields } = given;
  return {
    turn: `turn-${made}`,
    lineage: `lineage-${made}`,
    session: `session-${made}`,
    caller: 'a caller',
    agent: 'docs',
    at: Date.now() - 3_600_000 + made * 1_000,
    steps: {
      steps: [
        { tool: 'Read', about: 'src/läufer.ts', isError: false },
        { tool: 'Bash', about: 'npm test', isError: true, subagent: 'reviewer' },
      ],
      changedFiles: ['src/läufer.ts'],
      subagentUsage: { 'claude-haiku-4-5': { output_tokens: 3 } },
    },
    expansion: new Uint8Array(randomBytes(bytes)),
    ...fields,
  };
}
