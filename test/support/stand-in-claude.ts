import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A `claude` binary that says that it is ready, and calls no model. While it is broken it ends soon after. */
export interface StandInClaude {
  path: string;
  break(): void;
  mend(): void;
}

/** Its last words when it is broken; exit code 3. */
export const LAST_WORDS = 'no licence';

const INTRODUCTION = {
  commands: [],
  models: [{ value: 'claude-sonnet-5', displayName: 'Sonnet', description: '' }],
  account: { apiKeySource: 'ANTHROPIC_API_KEY' },
};

export function standInClaude(folder: string): StandInClaude {
  const path = join(folder, 'stand-in-claude');
  const broken = join(folder, 'broken');
  const script = `#!${process.execPath}
const { existsSync } = require('node:fs');
const answers = require('node:readline').createInterface({ input: process.stdin });
answers.on('close', () => process.exit());
answers.on('line', (line) => {
  const { type, request_id } = JSON.parse(line);
  if (type !== 'control_request') return;
  const response = { subtype: 'success', request_id, response: ${JSON.stringify(INTRODUCTION)} };
  process.stdout.write(JSON.stringify({ type: 'control_response', response }) + '\\n');
  if (!existsSync(${JSON.stringify(broken)})) return;
  setTimeout(() => {
    console.error(${JSON.stringify(LAST_WORDS)});
    process.exit(3);
  }, 50);
});
`;
  writeFileSync(path, script, { mode: 0o755 });
  return {
    path,
    break: () => writeFileSync(broken, ''),
    mend: () => rmSync(broken),
  };
}
