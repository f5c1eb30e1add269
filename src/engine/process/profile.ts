import type {
  AgentDefinition,
  McpServerConfig,
  Options,
  SessionStore,
  SettingSource,
} from '@anthropic-ai/claude-agent-sdk';
import type { Environment } from '../environment/environment.ts';
import { CLIENT_TOOLS_SERVERS } from '../held-calls/client-tools-server.ts';

/** What a process may do and where it runs, whatever the request. */
export interface ProcessProfile {
  /** Claude Code's own tools that the model gets. */
  tools: string[];
  permissionMode: NonNullable<Options['permissionMode']>;
  /** Tools that run without asking; `mcp__<server>` stands for all of a server. */
  allowedTools: string[];
  workingDirectory: string;
  environment: Environment;
  /** Claude Code's own settings files that it reads too. */
  settingSources: SettingSource[];
  /** Where the settings of a project come from, in place of the working directory. */
  projectConfigRoot?: string;
  /** Whether Claude Code's own system prompt stands in front of ours. */
  usesPreset?: boolean;
  /** Model calls, after which a turn ends. */
  maxTurns?: number;
  /** US dollars at list prices, after which a turn ends. */
  maxBudgetUsd?: number;
  /** Whom the model can hand a task to, beside the agents that Claude Code has. */
  agents?: Record<string, AgentDefinition>;
  /** Servers of tools that Claude Code runs or connects to. */
  mcpServers?: Record<string, McpServerConfig>;
  /** Absent for a process without a conversation. */
  session?: Session;
}

/** A session whose transcript the SDK appends to our store. */
export interface Session {
  store: SessionStore;
  /** The session in the store that the process resumes; absent for one that begins anew. */
  resumes?: string;
  /** The id of one that begins anew; else Claude Code chooses it. */
  id?: string;
}

/** The model gets the client's tools only. Nothing runs here, and none of the operator's settings apply. */
export function clientToolsProfile(environment: Environment, workingDirectory: string): ProcessProfile {
  return {
    tools: [],
    permissionMode: 'dontAsk',
    allowedTools: CLIENT_TOOLS_SERVERS.map((name) => `mcp__${name}`),
    workingDirectory,
    environment,
    settingSources: [],
  };
}

/** With our own spawn function the SDK sends the system prompt later than a resumed turn needs it. */
const NO_SYSTEM_PROMPT = { 'system-prompt': '' };
/** The SDK drops this for a resumed session when we spawn the process; without it the turn begins without tools. */
const AWAIT_INITIALIZE = { 'await-initialize': null };

/** The SDK's options for a process of this profile. */
export function toOptions({ session, usesPreset = false, ...profile }: ProcessProfile): Options {
  const { projectConfigRoot, maxTurns, maxBudgetUsd, agents, mcpServers } = profile;
  return {
    env: profile.environment,
    cwd: profile.workingDirectory,
    settingSources: profile.settingSources,
    strictMcpConfig: true,
    tools: profile.tools,
    permissionMode: profile.permissionMode,
    allowedTools: profile.allowedTools,
    verbatimPrompts: true,
    includePartialMessages: true,
    thinking: { type: 'disabled' },
    systemPrompt: usesPreset ? { type: 'preset', preset: 'claude_code' } : '',
    ...(projectConfigRoot === undefined ? {} : { projectConfigRoot }),
    ...(maxTurns === undefined ? {} : { maxTurns }),
    ...(maxBudgetUsd === undefined ? {} : { maxBudgetUsd }),
    ...(agents === undefined ? {} : { agents }),
    // The other delivery shows what may be secrets on the command line.
    ...(mcpServers === undefined ? {} : { mcpServers, mcpServersDelivery: 'initialize' }),
    extraArgs: { ...(usesPreset ? {} : NO_SYSTEM_PROMPT), ...(session?.resumes && AWAIT_INITIALIZE) },
    ...(session ? { sessionStore: session.store, sessionStoreFlush: 'eager' } : { persistSession: false }),
    ...(session?.resumes ? { resume: session.resumes, forkSession: true } : {}),
    ...(session?.id ? { sessionId: session.id } : {}),
  };
}
