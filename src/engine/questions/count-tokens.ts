import {
  type Query,
  query,
  type SDKControlGetContextUsageResponse,
  type SDKUserMessage,
} from '@anthropic-ai/claude-agent-sdk';
import type { Tool } from '@modelcontextprotocol/sdk/types.js';
import { EventQueue } from '../../async/event-queue.ts';
import { untilAborted } from '../../async/until-aborted.ts';
import type { ClientTool, MessagesRequest } from '../../spec/messages.ts';
import { CLIENT_TOOLS_SERVER, clientToolsServer, serverConfig } from '../held-calls/client-tools-server.ts';
import { ToolNames } from '../parameters/tool-names.ts';
import type { ProcessMaker } from '../process/process-maker.ts';
import { toTranscript } from '../replay/transcript.ts';

/**
 * Counts a request's tokens with the SDK, which asks the API. Takes one process; calls no model.
 *
 * @returns undefined when the API did not count: the SDK then guesses and does not say so
 */
export async function countTokens(
  maker: ProcessMaker,
  request: MessagesRequest,
  onSpawned: () => void,
  signal: AbortSignal,
): Promise<number | undefined> {
  const names = new ToolNames(request.tools);
  const made = maker.create({ system: request.system, ...(request.via && { via: request.via }) });
  const profile = maker.profile(made);
  const transcript = toTranscript(request.messages, request.model, profile.workingDirectory, names);
  const options = maker.options(made, {
    ...profile,
    session: {
      resumes: transcript.sessionId,
      store: { append: async () => undefined, load: async () => transcript.entries },
    },
  });
  const sdkQuery = query({
    prompt: new EventQueue<SDKUserMessage>(),
    options: {
      ...options,
      model: request.model,
      mcpServers: { [CLIENT_TOOLS_SERVER]: serverConfig(clientToolsServer(described(request.tools, names))) },
    },
  });
  try {
    return await untilAborted(
      count(sdkQuery, onSpawned).catch(() => undefined),
      signal,
      undefined,
    );
  } finally {
    made.child.end();
    sdkQuery.close();
  }
}

async function count(sdkQuery: Query, onSpawned: () => void): Promise<number | undefined> {
  const guessed = await sdkQuery.getContextUsage({ detail: 'summary' });
  onSpawned();
  const counted = await sdkQuery.getContextUsage({ detail: 'full' });
  return messageTokens(counted) === messageTokens(guessed) ? undefined : usedTokens(counted);
}

/** The tokens of everything that the request would send. */
function usedTokens({ categories }: SDKControlGetContextUsageResponse): number {
  return categories.filter(({ kind }) => kind === 'used').reduce((sum, { tokens }) => sum + tokens, 0);
}

/** The tokens of the messages alone. */
function messageTokens({ categories }: SDKControlGetContextUsageResponse): number | undefined {
  return categories.find(({ id }) => id === 'messages')?.tokens;
}

/** The client's tools with their descriptions: this process counts their tokens and calls none of them. */
function described(tools: readonly ClientTool[], names: ToolNames): Tool[] {
  return tools.map(({ name, description, input_schema }) => ({
    name: names.toModel(name),
    ...(description === undefined ? {} : { description }),
    inputSchema: { ...input_schema, type: 'object' },
  }));
}
