import { randomUUID } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { query, type SDKUserMessage } from '@anthropic-ai/claude-agent-sdk';
import { EventQueue } from '../../async/event-queue.ts';
import type { Agent } from '../../spec/agent.ts';
import type { BegunTurn, ProcessListener } from '../../spec/engine.ts';
import { failed } from '../../spec/failures.ts';
import type { Message, MessagesRequest } from '../../spec/messages.ts';
import { type Announcement, toSilentEntry } from '../announcements/announcement.ts';
import type { EngineLog } from '../announcements/announcements.ts';
import { CUSTOM_HEADERS } from '../environment/custom-headers.ts';
import { type Environment, inFolder } from '../environment/environment.ts';
import { ClaudeProcess, forTurns, type ProcessRules } from '../process/claude-process.ts';
import type { ProcessMaker } from '../process/process-maker.ts';
import { partsFor } from '../process/request-parts.ts';
import { toUserLine } from '../reuse/history-lines.ts';
import { KnownMessages } from '../reuse/known-messages.ts';
import { agentEnvironment } from './agent-environment.ts';
import { agentProfile } from './agent-profile.ts';
import { agentSettings } from './agent-settings.ts';
import { type AgentTranscript, toAgentTranscript, toFirstTranscript } from './agent-transcript.ts';
import { agentAnswers } from './agent-turn.ts';
import { subagentHook } from './subagent-hook.ts';
import type { WorkspaceProcesses } from './workspace-processes.ts';

/** What the processes of agents have in common. */
export interface AgentMaker {
  maker: ProcessMaker;
  rules: ProcessRules;
  log: EngineLog;
  workspaces: WorkspaceProcesses;
  /** Hears which servers of tools of an agent do not work. */
  onServers: (agent: string, failing: string[]) => void;
}

/**
 * Hands a whole request to a new process of an agent: its history becomes a transcript that the process resumes, with the hidden
 * steps that are known; the newest message is said to it.
 *
 * @param personal what would tell the model who owns the account, and must not
 * @throws FailureError `files_not_written`, `machine_at_limit`, `workspace_moved`
 */
export function spawnAgent(
  { maker, rules, log, workspaces, onServers }: AgentMaker,
  agent: Agent,
  request: MessagesRequest,
  personal: readonly Announcement[],
  listener: ProcessListener,
): BegunTurn {
  // Whoever writes above the workspace could have put a link in its place.
  if (realPath(agent.workspace) !== agent.workspace) throw failed('workspace_moved', { agent: agent.name });
  const parts = partsFor({ ...request, tools: [] });
  const { names, variables, via } = parts;
  const subagents = { ...request.agent?.subagents, ...agent.subagents };
  const environment = agentEnvironment(maker.environment.variables, agent);
  const { transcript, line, own } = beginning(request, agent, personal);
  const added = { ...forTurns(rules), ...own };
  const session = transcript?.sessionId ?? randomUUID();
  const made = maker.create({
    requested: { ...variables, ...added },
    system: systemOf(request, agent),
    settings: (scratch) => agentSettings(agent, environment, scratch),
    environment: { ...environment, [CUSTOM_HEADERS]: maker.headersFor(via) },
    session,
    via,
  });
  const { child, files } = made;
  workspaces.add(agent, child);
  try {
    const strategy = agentAnswers(agent, transcript?.known ?? new Set(), (failing) => onServers(agent.name, failing));
    const profile = agentProfile(
      agent,
      { ...inFolder(made.environment, files.scratch), ...added },
      subagents,
      // Not the scratch folder: commands could plant settings there.
      rules.directory.work,
    );
    let hear: ClaudeProcess['hear'] = () => undefined;
    const options = maker.options(made, {
      ...profile,
      session: {
        ...(transcript ? { resumes: session } : { id: session }),
        store: {
          append: async (key, entries) => {
            if (!transcript) child.transcript = key;
            hear(entries);
          },
          load: async () => transcript?.entries ?? null,
        },
      },
    });
    const input = new EventQueue<SDKUserMessage>();
    const known = new KnownMessages();
    known.addTurn(request.messages.at(-1) as Message, request.messages.length - 1, line.uuid);
    if (line.isSaid) input.push(toUserLine(request.messages.at(-1) as Message, names, line.uuid));
    else known.close(line.closing);
    const hooks = subagentHook(Object.keys(subagents), (asked, meant) =>
      log('subagent renamed', { agent: agent.name, asked: asked.slice(0, 100), meant }),
    );
    const process = new ClaudeProcess({
      ...parts,
      ...rules,
      query: query({ prompt: input, options: { ...options, model: request.model, hooks } }),
      input,
      known,
      reuseKey: undefined,
      child,
      listener,
      // Claude Code counts the costs of a process, not of a turn.
      staleness: () => (agent.maxBudgetUsd === undefined ? undefined : 'its budget is that of one turn'),
      strategy,
      timeLimit: { milliseconds: agent.maxSeconds * 1000, onOver: strategy.timeOut },
    });
    hear = (entries) => process.hear(entries);
    return { process, events: process.begin() };
  } catch (error) {
    child.end();
    throw error;
  }
}

function realPath(folder: string): string | undefined {
  try {
    return realpathSync.native(folder);
  } catch {
    return undefined;
  }
}

/** How a process comes to its first message. */
interface Beginning {
  /** What it resumes, and what of that is no part of the turn; absent where it resumes nothing. */
  transcript?: AgentTranscript & { known: ReadonlySet<string> };
  /** The newest message: said to the process, or at the end of its transcript, behind which another entry closes it. */
  line: { uuid: string; isSaid: true } | { uuid: string; isSaid: false; closing: string };
  own: Environment;
}

/** The client's system prompt, else the agent's. */
function systemOf({ system }: MessagesRequest, agent: Agent): string {
  return system || agent.system;
}

function beginning(request: MessagesRequest, agent: Agent, personal: readonly Announcement[]): Beginning {
  const { messages, model, agent: named } = request;
  const prompt = { system: systemOf(request, agent), usesPreset: agent.usesPreset };
  const at = { model, prompt, cwd: agent.workspace, before: personal.map(toSilentEntry) };
  const history = messages.slice(0, -1);
  if (history.length === 0 && personal.length > 0) {
    const transcript = toFirstTranscript(messages.at(-1) as Message, at);
    const uuids = transcript.entries.map(({ uuid }) => uuid);
    const [uuid = '', closing = ''] = uuids.slice(-2);
    const known = new Set(uuids.filter((one) => one !== uuid));
    return {
      transcript: { ...transcript, known },
      line: { uuid, isSaid: false, closing },
      own: { CLAUDE_CODE_RESUME_INTERRUPTED_TURN: '1' },
    };
  }
  const line = { uuid: randomUUID(), isSaid: true } as const;
  if (history.length === 0) return { line, own: {} };
  const { sessionId, entries } = toAgentTranscript(history, named?.expansions ?? new Map(), at);
  return { transcript: { sessionId, entries, known: new Set(entries.map(({ uuid }) => uuid)) }, line, own: {} };
}
