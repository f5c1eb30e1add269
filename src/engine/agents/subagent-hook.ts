import type { Options, PreToolUseHookInput } from '@anthropic-ai/claude-agent-sdk';
import { declaredName } from './subagent-names.ts';

/** What a task may say. */
const TAKEN = ['description', 'prompt', 'subagent_type'];

/**
 * The hook that looks at each task for a subagent before it runs.
 *
 * It puts the subagent's name right; a name that means none stays, and the SDK refuses it with a list of those that there are. And it
 * takes all else out that the model may wish for: what a subagent costs is the operator's choice, as its model and its effort, and a
 * place of its own (`isolation`) Claude Code would make beside the fences, by a `git` that runs the repository's hooks.
 *
 * @param onRenamed hears of each
 */
export function subagentHook(
  declared: readonly string[],
  onRenamed: (asked: string, meant: string) => void,
): NonNullable<Options['hooks']> {
  return {
    PreToolUse: [
      {
        matcher: 'Agent|Task',
        // Else a task goes through when its look at it fails.
        onFailure: 'block',
        hooks: [
          async (given) => {
            const input = (given as PreToolUseHookInput).tool_input as Record<string, unknown>;
            const asked = input.subagent_type;
            const meant = (typeof asked === 'string' ? declaredName(asked, declared) : undefined) ?? asked;
            const taken = Object.entries(input).filter(([name]) => TAKEN.includes(name));
            if (meant === asked && taken.length === Object.keys(input).length) return {};
            if (meant !== asked) onRenamed(String(asked), String(meant));
            const updatedInput = { ...Object.fromEntries(taken), ...(meant !== undefined && { subagent_type: meant }) };
            return { hookSpecificOutput: { hookEventName: 'PreToolUse', updatedInput } };
          },
        ],
      },
    ],
  };
}
