import type { Options, PreToolUseHookInput } from '@anthropic-ai/claude-agent-sdk';
import { declaredName } from './subagent-names.ts';

/**
 * The hook that puts a subagent's name right before the call runs. A name that means none stays: the SDK refuses it, and lists
 * those that there are.
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
        hooks: [
          async (given) => {
            const input = (given as PreToolUseHookInput).tool_input as Record<string, unknown>;
            const asked = input.subagent_type;
            const meant = typeof asked === 'string' ? declaredName(asked, declared) : undefined;
            if (meant === undefined || meant === asked) return {};
            onRenamed(String(asked), meant);
            return {
              hookSpecificOutput: { hookEventName: 'PreToolUse', updatedInput: { ...input, subagent_type: meant } },
            };
          },
        ],
      },
    ],
  };
}
