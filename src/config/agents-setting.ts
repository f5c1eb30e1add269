import { agentDefinitions, type CheckedDefinition } from './agent-definition.ts';

/** Agents with their defaults; or what is wrong, and with what, in words that show no value: that may be a secret. */
export type CheckedAgents =
  | { value: Record<string, CheckedDefinition> }
  | { path: readonly PropertyKey[]; problem: string };

/** @param given of any shape */
export function checkAgents(given: unknown): CheckedAgents {
  const result = agentDefinitions.safeParse(given);
  if (result.success) return { value: result.data };
  const { issues } = result.error;
  // A misspelt key first: else the right one is said to be missing.
  const { path, message } = issues.find(({ code }) => code === 'unrecognized_keys') ??
    issues[0] ?? { path: [], message: 'is not right' };
  return { path, problem: message };
}
