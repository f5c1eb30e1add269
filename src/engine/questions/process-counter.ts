import {
  type Options,
  type Query,
  query,
  type SDKControlGetContextUsageResponse,
  type SDKUserMessage,
} from '@anthropic-ai/claude-agent-sdk';
import { EventQueue } from '../../async/event-queue.ts';
import { untilAborted } from '../../async/until-aborted.ts';
import type { CountedFor, CountedPlaces, PlaceCounts } from '../../spec/counted-part.ts';
import type { Message } from '../../spec/messages.ts';
import { clientToolsServer, clientToolsServerName, serverConfig } from '../held-calls/client-tools-server.ts';
import { ToolNames } from '../parameters/tool-names.ts';
import type { NewProcess, ProcessMaker } from '../process/process-maker.ts';
import { toCountedTranscript } from '../replay/transcript.ts';
import { countedTools, padding, type ToolSet } from './counted-tools.ts';

/** What the SDK takes off the count of tools, which cannot fall below 0. */
const TAKEN_OFF_TOOLS = 500;
/** How many models are remembered. */
const MOST_MODELS = 200;

/** What one process counts, as the SDK takes it. */
interface Contents {
  prompt?: string | undefined;
  messages?: readonly Message[] | undefined;
  tools?: ToolSet | undefined;
}

/** What the SDK counts of it, in tokens: each number is that of one call of the API. */
interface ContentCounts {
  /** The prompt as a user message. */
  prompt?: number | undefined;
  /** The messages; without any, one message of one token. */
  messages?: number | undefined;
  /** The tools beside one message of one token. */
  tools?: number | undefined;
}

/** Tokens that a count for a model includes beside what is asked for: they are subtracted. */
interface Surplus {
  /** One message of one token. */
  shortest: number;
  /** One padding. */
  padding: number;
}

/** Counts tokens with the SDK, which asks the API for each part. Calls no model. */
export class ProcessCounter {
  readonly #maker: ProcessMaker;
  readonly #surplus = new Map<string, Surplus>();

  constructor(maker: ProcessMaker) {
    this.#maker = maker;
  }

  /**
   * Counts in one process; the first count for a model takes two more before.
   *
   * @param onSpawned called when the last process is up
   * @param signal ends the count
   */
  async count(
    asked: CountedFor,
    parts: CountedPlaces,
    onSpawned: () => void,
    signal: AbortSignal,
  ): Promise<PlaceCounts> {
    if (signal.aborted || Object.keys(parts).length === 0) return {};
    const { prompt, conversation, tools } = parts;
    const needsSurplus = prompt?.kind === 'system' || tools !== undefined;
    const surplus = needsSurplus ? await this.#surplusOf(asked, signal) : undefined;
    const counts = await this.#ask(
      asked,
      {
        prompt: prompt?.text,
        messages: conversation && messagesOf(conversation),
        tools: tools && [...countedTools(tools.tools), padding('padding_1')],
      },
      onSpawned,
      signal,
    );
    return {
      prompt: prompt?.kind === 'system' ? minus(counts.prompt, minus(surplus?.shortest, 1)) : counts.prompt,
      conversation: counts.messages,
      tools: minus(minus(counts.tools, surplus?.padding), surplus?.shortest),
    };
  }

  /** Measures the surplus once for each model. */
  async #surplusOf(asked: CountedFor, signal: AbortSignal): Promise<Surplus | undefined> {
    const { model } = asked;
    const known = this.#surplus.get(model);
    if (known) return known;
    const ask = (tools: ToolSet) => this.#ask(asked, { tools }, () => undefined, signal);
    const once = await ask([padding('padding_1')]);
    if (once.tools === undefined) return undefined;
    const twice = await ask([padding('padding_1'), padding('padding_2')]);
    const paddingTokens = minus(twice.tools, once.tools);
    if (once.messages === undefined || paddingTokens === undefined) return undefined;
    const surplus = { shortest: once.messages, padding: paddingTokens };
    if (this.#surplus.size < MOST_MODELS) this.#surplus.set(model, surplus);
    return surplus;
  }

  async #ask(
    { model, via }: CountedFor,
    contents: Contents,
    onSpawned: () => void,
    signal: AbortSignal,
  ): Promise<ContentCounts> {
    if (signal.aborted) return {};
    const made = this.#maker.create(via && { via });
    const sdkQuery = query({
      prompt: new EventQueue<SDKUserMessage>(),
      options: optionsFor(this.#maker, made, model, contents),
    });
    try {
      return await untilAborted(
        usageOf(sdkQuery, onSpawned).catch(() => ({})),
        signal,
        {},
      );
    } finally {
      made.child.end();
      sdkQuery.close();
    }
  }
}

function optionsFor(
  maker: ProcessMaker,
  made: NewProcess,
  model: string,
  { prompt, messages = [], tools = [] }: Contents,
): Options {
  const profile = maker.profile(made);
  const name = clientToolsServerName(0);
  const options = maker.options(made, {
    ...profile,
    // Also without messages: only a process that resumes a session waits for its list of tools.
    session: sessionOf(messages, model, profile.workingDirectory),
  });
  return {
    ...options,
    ...(prompt !== undefined && withPrompt(options, prompt)),
    model,
    mcpServers: { [name]: serverConfig(clientToolsServer([...tools]), name) },
  };
}

/** As the whole system prompt: each of its parts would be counted as a message of its own. */
function withPrompt({ extraArgs: { 'system-prompt': _, ...extraArgs } = {} }: Options, prompt: string) {
  return { systemPrompt: [prompt], extraArgs };
}

function sessionOf(messages: readonly Message[], model: string, cwd: string) {
  const { sessionId, entries } = toCountedTranscript(messages, model, cwd, new ToolNames([]));
  return { resumes: sessionId, store: { append: async () => undefined, load: async () => entries } };
}

function messagesOf(part: NonNullable<CountedPlaces['conversation']>): readonly Message[] {
  return part.kind === 'messages' ? part.messages : [{ role: 'user', content: [{ type: 'text', text: part.text }] }];
}

async function usageOf(sdkQuery: Query, onSpawned: () => void): Promise<ContentCounts> {
  const guessed = await sdkQuery.getContextUsage({ detail: 'summary' });
  onSpawned();
  const counted = await sdkQuery.getContextUsage({ detail: 'full' });
  // When the API does not count, the SDK guesses as before and does not say so.
  const row = (id: UsageRow) => {
    const tokens = tokensIn(counted, id);
    return tokens === tokensIn(guessed, id) ? undefined : tokens;
  };
  const tools = row('mcp_tools');
  return {
    prompt: row('system_prompt'),
    messages: row('messages'),
    tools: tools === undefined ? undefined : tools + TAKEN_OFF_TOOLS,
  };
}

type UsageRow = NonNullable<SDKControlGetContextUsageResponse['categories'][number]['id']>;

function tokensIn({ categories }: SDKControlGetContextUsageResponse, row: UsageRow): number | undefined {
  return categories.find(({ id }) => id === row)?.tokens;
}

function minus(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a - b;
}
