import type { AgentDefinition } from '@anthropic-ai/claude-agent-sdk';
import type { Subagent } from '../../spec/agent.ts';

/** The tool with which the model hands a task to a subagent. */
export const SUBAGENT_TOOL = 'Agent';

/**
 * Subagents in the SDK's form. None gets a tool that its parent lacks, and none can have subagents of its own.
 *
 * @param tools of the parent
 * @param maxTurns of the parent, whose limit does not count what a subagent does; each task may have as many
 */
export function toDefinitions(
  subagents: Readonly<Record<string, Subagent>>,
  tools: readonly string[],
  maxTurns: number,
): Record<string, AgentDefinition> {
  return Object.fromEntries(
    Object.entries(subagents).map(([name, { description, prompt, tools: asked, model }]) => [
      name,
      {
        description,
        prompt,
        // Else it would take what the environment names.
        model: model ?? 'inherit',
        ...(asked ? { tools: asked.filter((tool) => mayHave(tool, tools)) } : {}),
        disallowedTools: [SUBAGENT_TOOL],
        maxTurns,
      },
    ]),
  );
}

function mayHave(tool: string, tools: readonly string[]): boolean {
  return tools.includes(tool) || tool.startsWith('mcp__');
}
