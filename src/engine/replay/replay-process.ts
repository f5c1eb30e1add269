import { query, type SDKUserMessage } from '@anthropic-ai/claude-agent-sdk';
import { EventQueue } from '../../async/event-queue.ts';
import type { BegunTurn, ProcessListener } from '../../spec/engine.ts';
import type { Message, MessagesRequest } from '../../spec/messages.ts';
import type { Silence } from '../announcements/silence.ts';
import { ClaudeProcess, forTurns, type ProcessRules } from '../process/claude-process.ts';
import type { ProcessMaker } from '../process/process-maker.ts';
import { partsFor } from '../process/request-parts.ts';
import { KnownMessages } from '../reuse/known-messages.ts';
import { reuseKey } from '../reuse/reuse-key.ts';
import { type Transcript, toTranscript } from './transcript.ts';

/**
 * Hands a whole request to a new process: its history becomes a transcript that the process resumes. It works for any
 * history, and for none.
 *
 * @throws FailureError `files_not_written`, `machine_at_limit`
 */
export function replayInNewProcess(
  maker: ProcessMaker,
  rules: ProcessRules,
  silence: Silence,
  request: MessagesRequest,
  listener: ProcessListener,
): BegunTurn {
  const parts = partsFor(request);
  const { heldCalls, names, variables, via } = parts;
  const input = new EventQueue<SDKUserMessage>();
  const own = { ...forTurns(rules), ...silence.variables, CLAUDE_CODE_RESUME_INTERRUPTED_TURN: '1' };
  const made = maker.create({ requested: { ...variables, ...own }, system: request.system, via });
  const { child } = made;
  try {
    const clientToolsOnly = maker.profile(made);
    const { workingDirectory, environment } = clientToolsOnly;
    const transcript = toTranscript(request.messages, request.model, workingDirectory, names, silence.announced);
    let hear: ClaudeProcess['hear'] = () => undefined;
    const options = maker.options(made, {
      ...clientToolsOnly,
      environment: { ...environment, ...own },
      session: {
        resumes: transcript.sessionId,
        store: { append: async (_key, entries) => hear(entries), load: async () => transcript.entries },
      },
    });
    const sdkQuery = query({
      prompt: input,
      options: {
        ...options,
        model: request.model,
        ...(request.tools.length > 0 ? { mcpServers: heldCalls.servers() } : {}),
      },
    });
    const process = new ClaudeProcess({
      ...parts,
      ...rules,
      query: sdkQuery,
      input,
      known: knownFrom(transcript, request.messages),
      reuseKey: reuseKey(request),
      child,
      listener,
      staleness: silence.staleness,
    });
    hear = (entries) => {
      silence.hear(entries);
      process.hear(entries);
    };
    return { process, events: process.begin() };
  } catch (error) {
    child.end();
    throw error;
  }
}

function knownFrom({ uuids, closing }: Transcript, messages: readonly Message[]): KnownMessages {
  const known = new KnownMessages();
  for (const [at, message] of messages.slice(0, -1).entries()) known.addHistory(message, at, uuids[at] as string);
  known.addTurn(messages.at(-1) as Message, messages.length - 1, uuids.at(-1) as string);
  known.close(closing);
  return known;
}
