import type { JsonObject } from './messages.ts';

/**
 * What the fences of an agent let it do in its workspace:
 *
 * - `read`: find and read files
 * - `edit`: also write them
 * - `shell`: also run commands, in a sandbox
 */
export type AgentLevel = 'read' | 'edit' | 'shell';

/** An agent as the operator has defined it: the Agent SDK's own tools, within fences. */
export interface Agent {
  /** What a request calls it by. It looks like no model. */
  name: string;
  level: AgentLevel;
  /** The real path of the folder that it works in. */
  workspace: string;
  /** In place of the model that a request names; absent where the request chooses. */
  model?: string;
  /** For requests without a system prompt of their own; may be empty. */
  system: string;
  /** Whether Claude Code's own system prompt stands in front. */
  usesPreset: boolean;
  /** Whether the workspace's `CLAUDE.md` reaches the model. */
  readsClaudeMd: boolean;
  /** Permission rules that refuse, such as `Read(**\/.env)`; presets are written out. */
  deny: readonly string[];
  /** Hosts that commands may reach; none by default. For `shell`. */
  allowedHosts: readonly string[];
  mcpServers: Readonly<Record<string, AgentMcpServer>>;
  subagents: Readonly<Record<string, Subagent>>;
  /** Model calls of one turn. */
  maxTurns: number;
  /** How long one turn may take, in seconds. */
  maxSeconds: number;
  /** What one turn may cost, in US dollars at list prices. */
  maxBudgetUsd?: number;
  /** Whether each step is shown as a short line of text. */
  showSteps: boolean;
}

/** A server of tools that the operator gives to an agent. Its values may be secrets. */
export type AgentMcpServer =
  | { type: 'stdio'; command: string; args: readonly string[]; env: Readonly<Record<string, string>> }
  | { type: 'http' | 'sse'; url: string; headers: Readonly<Record<string, string>> };

/** An agent that an agent can hand a task to. */
export interface Subagent {
  description: string;
  prompt: string;
  /** Of its parent's tools; all of them if absent. */
  tools?: readonly string[];
  model?: string;
}

/** The agent that a request names. */
export interface NamedAgent {
  name: string;
  /** Agents that the request brings for this conversation, beside those of the operator. */
  subagents?: Readonly<Record<string, Subagent>>;
  /** The hidden steps of the answers in the history, by the index of the answer, as far as they are known. */
  expansions?: ReadonlyMap<number, Expansion>;
}

/** What a request says of the conversation that it goes on with. */
export interface AgentSession {
  /** The gateway's id, which came with an earlier answer. */
  id?: string | undefined;
  /** The client's own. */
  clientId?: string | undefined;
}

/** One thing that an agent did in a turn. */
export interface AgentStep {
  /** The tool's name, such as `Edit`. */
  tool: string;
  /** What it was done to, in a few words: a path, a pattern, a command. */
  about: string;
  isError: boolean;
  /** The kind of subagent that did it; absent for the agent itself. */
  subagent?: string;
}

/** What an agent did in a turn that its answer does not show. */
export interface TurnSteps {
  steps: readonly AgentStep[];
  /** Paths within the workspace, sorted. */
  changedFiles: readonly string[];
  /** What subagents have used, of the answer's usage. */
  subagentUsage?: JsonObject;
}

/**
 * The hidden steps of one answer, as the engine wrote them: with them, a replay of the conversation is exact. Only the engine
 * reads it.
 */
export type Expansion = Uint8Array;
