import type { Options, PreToolUseHookInput } from '@anthropic-ai/claude-agent-sdk';
import { declaredName } from './subagent-names.ts';

/**
 * The hook that looks at each task for a subagent before it runs.
 *
 * It puts the subagent's name right; a name that means none stays, and the SDK refuses it with a list of those that there are. And it
 * takes out the wish for a place of the subagent's own: Claude Code would make it beside the fences, by a `git` that runs the
 * repository's hooks.
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
            const { isolation, ...input } = (given as PreToolUseHookInput).tool_input as Record<string, unknown>;
            const asked = input.subagent_type;
            const meant = (typeof asked === 'string' ? declaredName(asked, declared) : undefined) ?? asked;
            if (meant === asked && isolation === undefined) return {};
            if (meant !== asked) onRenamed(String(asked), String(meant));
            return {
              hookSpecificOutput: { hookEventName: 'PreToolUse', updatedInput: { ...input, subagent_type: meant } },
            };
          },
        ],
      },
    ],
  };
}
