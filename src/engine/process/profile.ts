import type { Options, SessionStore, SettingSource } from '@anthropic-ai/claude-agent-sdk';
import { CLIENT_TOOLS_SERVER } from '../held-calls/client-tools.ts';
import type { Environment } from './environment.ts';

/** What a process may do and where it lives, whatever it is going to be asked. */
export interface ProcessProfile {
  /** Tools of Claude Code's own that the model is given. */
  tools: string[];
  permissionMode: NonNullable<Options['permissionMode']>;
  /** Tools that run without asking; `mcp__<server>` stands for all of a server. */
  allowedTools: string[];
  workingDirectory: string;
  environment: Environment;
  /** Settings files that Claude Code reads beside those that it is given. */
  settingSources: SettingSource[];
  /** Where the history comes from that a process goes on with, and where its transcript goes. */
  session?: ResumedSession;
}

/** A session that the SDK resumes from a store of ours. */
export interface ResumedSession {
  id: string;
  store: SessionStore;
}

/** The client's tools and no others: nothing is run here, and none of the operator's settings apply. */
export function clientToolsProfile(environment: Environment, workingDirectory: string): ProcessProfile {
  return {
    tools: [],
    permissionMode: 'dontAsk',
    allowedTools: [`mcp__${CLIENT_TOOLS_SERVER}`],
    workingDirectory,
    environment,
    settingSources: [],
  };
}

/** With a spawn function of ours the SDK sends the system prompt later than a resumed turn needs it. */
const NO_SYSTEM_PROMPT = { 'system-prompt': '' };
/** The SDK's own default for a resumed session, but not with a spawn function: else the turn begins without tools. */
const AWAIT_INITIALIZE = { 'await-initialize': null };

/** The SDK's options for a process of this profile. */
export function toOptions({ session, ...profile }: ProcessProfile): Options {
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
    systemPrompt: '',
    extraArgs: { ...NO_SYSTEM_PROMPT, ...(session && AWAIT_INITIALIZE) },
    ...(session
      ? { resume: session.id, forkSession: true, sessionStore: session.store, sessionStoreFlush: 'eager' }
      : { persistSession: false }),
  };
}
