import type { TurnSteps } from './agent.ts';
import type { JsonObject } from './messages.ts';

/** What an agent did in a turn, as JSON: the same in every dialect, and at `GET /v1/agents/turns/<id>`. */
export function stepsBody({ steps, changedFiles, subagentUsage }: TurnSteps): JsonObject {
  return {
    steps: steps.map(({ tool, about, isError, subagent }) => ({
      tool,
      about,
      is_error: isError,
      ...(subagent === undefined ? {} : { subagent }),
    })),
    changed_files: changedFiles,
    ...(subagentUsage && { subagent_usage: subagentUsage }),
  };
}
