import { closeSync, openSync, readSync } from 'node:fs';
import { findExecutable } from '../../src/engine/environment/executable.ts';

/**
 * All names that Claude Code has for tools of its own. They were read out of the binary: its table of tools, its table of earlier
 * names, and those that stand elsewhere in it or in the SDK's `sdk-tools.d.ts`. `own-tools.test.ts` compares the tables.
 */

export const TOOLS_OF_THE_BINARY = [
  'Agent',
  'Artifact',
  'AskUserQuestion',
  'Bash',
  'ClaudeDesign',
  'CronCreate',
  'CronDelete',
  'CronList',
  'Edit',
  'EndConversation',
  'EnterPlanMode',
  'EnterWorktree',
  'ExitPlanMode',
  'ExitWorktree',
  'Glob',
  'Grep',
  'ListAgents',
  'ListMcpResourcesTool',
  'LSP',
  'Monitor',
  'NotebookEdit',
  'OfferChromeSetup',
  'PowerShell',
  'Projects',
  'propose_skills',
  'PushNotification',
  'Read',
  'ReadMcpResourceDirTool',
  'ReadMcpResourceTool',
  'ReadNotifications',
  'RemoteTrigger',
  'ReportFindings',
  'ScheduleWakeup',
  'SendFeedback',
  'SendMessage',
  'SendUserFile',
  'SendUserMessage',
  'SetGoal',
  'ShareOnboardingGuide',
  'ShowOnboardingRolePicker',
  'Skill',
  'SubagentHandback',
  'TaskCreate',
  'TaskGet',
  'TaskList',
  'TaskStop',
  'TaskUpdate',
  'TodoWrite',
  'ToolSearch',
  'WaitForMcpServers',
  'WebFetch',
  'WebSearch',
  'Workflow',
  'Write',
];

export const EARLIER_NAMES_OF_THE_BINARY = [
  'Task',
  'KillShell',
  'KillBash',
  'ListPeers',
  'Brief',
  'ListMcpResources',
  'ReadMcpResource',
  'ReadMcpResourceDir',
  'ProposeGoal',
];

/** They stand elsewhere in the binary or in its types, some for tools that are no more. */
const NAMES_ELSEWHERE = [
  'BashOutput',
  'Eval',
  'JavaScript',
  'LS',
  'MultiEdit',
  'NotebookRead',
  'RefreshMcpTools',
  'REPL',
  'StructuredOutput',
  'TaskOutput',
];

export const OWN_TOOLS: readonly string[] = [
  ...TOOLS_OF_THE_BINARY,
  ...EARLIER_NAMES_OF_THE_BINARY,
  ...NAMES_ELSEWHERE,
];

/** How both tables begin. */
const BEGINNING = '["Agent","Artifact",';
/** More than both are long. */
const LENGTH = 4_000;
/** The binary has hundreds of megabytes. */
const CHUNK = 16_000_000;

/**
 * Reads both tables out of the binary's script.
 *
 * @throws Error when they do not stand where they stood
 */
export function tablesOfTheBinary(): { tools: string[]; earlierNames: string[] } {
  const [, tools, earlierNames] = /^(\[[^\]]*\]),[\w$]+=\{([^}]*)\}/.exec(textFrom(BEGINNING)) ?? [];
  if (!tools || !earlierNames) throw new Error('The binary has no table of its tools where it had one.');
  return {
    tools: JSON.parse(tools),
    earlierNames: [...earlierNames.matchAll(/(\w+):"/g)].map(([, name = '']) => name),
  };
}

/** The text of the binary from its first place that begins so; empty if there is none. */
function textFrom(beginning: string): string {
  const file = openSync(findExecutable(undefined).path, 'r');
  try {
    const bytes = Buffer.alloc(CHUNK + LENGTH);
    for (let position = 0; ; position += CHUNK) {
      const read = readSync(file, bytes, 0, bytes.length, position);
      const at = bytes.subarray(0, read).indexOf(beginning);
      if (at >= 0 && at < CHUNK) return bytes.subarray(at, at + LENGTH).toString('latin1');
      if (read < bytes.length) return '';
    }
  } finally {
    closeSync(file);
  }
}
