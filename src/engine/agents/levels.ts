import type { Options } from '@anthropic-ai/claude-agent-sdk';
import type { AgentLevel } from '../../spec/agent.ts';

/** What the SDK lets an agent of one level do. */
interface Level {
  /** Claude Code's own tools; a call of any other is refused. */
  tools: readonly string[];
  /** `dontAsk` refuses all that is not plainly reading; `acceptEdits` also lets it write in its working directory. */
  permissionMode: NonNullable<Options['permissionMode']>;
  /** Tools that run without a rule of their own. */
  allowedTools: readonly string[];
}

const READ = ['Read', 'Glob', 'Grep'];
const EDIT = [...READ, 'Write', 'Edit'];

/**
 * By level. Never allow a file tool here: an allow rule without a path opens the whole disk. `Bash` is allowed since the sandbox
 * confines it; without the rule Claude Code refuses what it cannot read, such as a loop.
 */
export const LEVELS: Readonly<Record<AgentLevel, Level>> = {
  read: { tools: READ, permissionMode: 'dontAsk', allowedTools: [] },
  edit: { tools: EDIT, permissionMode: 'acceptEdits', allowedTools: [] },
  shell: { tools: [...EDIT, 'Bash'], permissionMode: 'acceptEdits', allowedTools: ['Bash'] },
};
