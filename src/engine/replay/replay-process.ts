import { query } from '@anthropic-ai/claude-agent-sdk';
import type { BegunTurn, ProcessListener } from '../../spec/engine.ts';
import type { MessagesRequest } from '../../spec/messages.ts';
import { CLIENT_TOOLS_SERVER } from '../held-calls/client-tools-server.ts';
import { ClaudeProcess, type ProcessRules, partsFor } from '../process/claude-process.ts';
import type { ProcessMaker } from '../process/process-maker.ts';
import { toTranscript } from './transcript.ts';

/**
 * Hands a whole request to a new process: its history becomes a transcript that the process resumes. It works for any
 * history, and for none.
 *
 * @throws FailureError `files_not_written`
 */
export function replayInNewProcess(
  maker: ProcessMaker,
  rules: ProcessRules,
  request: MessagesRequest,
  listener: ProcessListener,
): BegunTurn {
  const parts = partsFor(request);
  const { input, heldCalls, names, variables } = parts;
  const made = maker.create({ settings: JSON.stringify({ env: variables }), system: request.system });
  const { child, files } = made;
  try {
    const clientToolsOnly = maker.profile(made);
    const transcript = toTranscript(request.messages, request.model, clientToolsOnly.workingDirectory, names);
    let hear: ClaudeProcess['hear'] = () => undefined;
    const options = maker.options(made, {
      ...clientToolsOnly,
      environment: { ...clientToolsOnly.environment, CLAUDE_CODE_RESUME_INTERRUPTED_TURN: '1' },
      session: {
        id: transcript.sessionId,
        store: { append: async (_key, entries) => hear(entries), load: async () => transcript.entries },
      },
    });
    const sdkQuery = query({
      prompt: input,
      options: {
        ...options,
        ...(files.settings && { settings: files.settings }),
        model: request.model,
        extraArgs: {
          ...options.extraArgs,
          ...(files.system && { 'append-system-prompt-file': files.system }),
        },
        ...(request.tools.length > 0 ? { mcpServers: { [CLIENT_TOOLS_SERVER]: heldCalls.config } } : {}),
      },
    });
    const process = new ClaudeProcess({ ...parts, ...rules, query: sdkQuery, child, listener, hasStore: true });
    hear = (entries) => process.hear(entries);
    return { process, events: process.begin() };
  } catch (error) {
    child.end();
    throw error;
  }
}
