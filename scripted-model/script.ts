/**
 * What the scripted model answers, and when: a list of rules, tried in order for each request.
 *
 * Rules are data, so that a script can be a JSON file. Code may use a function in place of a rule.
 */

/** One content block that the scripted model emits, in the Messages API's own shape. */
export type ScriptedBlock =
  | { type: 'text'; text: string; citations?: object[] | null }
  | { type: 'thinking'; thinking: string; signature?: string }
  | { type: 'redacted_thinking'; data: string }
  | {
      type: 'tool_use';
      name: string;
      input: unknown;
      id?: string;
      /** Sent in place of the serialised input. */
      raw_input?: string;
      /** Further fields, such as `caller`. */
      [field: string]: unknown;
    }
  | {
      /** What server tools leave, or a kind that nobody knows yet. An input comes in deltas, all else at once. */
      type: 'server_tool_use' | 'mcp_tool_use' | `${string}_tool_result` | `future_${string}`;
      [field: string]: unknown;
    };

/** One answer of the scripted model. Times are milliseconds; event counts refer to SSE events of one stream. */
export interface Reply {
  content?: ScriptedBlock[];
  /** Defaults to `tool_use` when the content has a tool_use block, else `end_turn`. */
  stop_reason?: string;
  stop_sequence?: string;
  usage?: Record<string, number>;
  /** Further fields of the `message_delta`'s `delta`, and of a whole answer, such as `safeguard_results`. */
  delta?: Record<string, unknown>;
  /** Headers of a whole answer or a stream, beside its own. */
  headers?: Record<string, string>;
  /** Wait before the response headers. */
  delay_ms?: number;
  /** Wait before each event but the first. */
  gap_ms?: number;
  /** Characters per delta; 24 by default. */
  delta_length?: number;
  /** Answer with this HTTP error instead of a message. */
  error?: { status: number; type: string; message: string; headers?: Record<string, string> };
  /** Answer with this in place of a message, as a broken proxy would; by default with status 200 and as SSE. */
  raw?: { body: string; status?: number; content_type?: string; headers?: Record<string, string> };
  /** Cut the stream after so many events: close it (`end`), reset it (`reset`) or fall silent (`silence`). */
  cut?: { after_events: number; how: 'end' | 'reset' | 'silence' };
  /** Send an SSE `error` event after so many events and end the stream. */
  stream_error?: { after_events: number; type: string; message: string };
}

/** A condition on a request: every field that is set must hold. A string matches as a substring. */
export interface When {
  /** In the text of the newest user message. */
  text?: string;
  /** In a tool_result of the newest user message. */
  tool_result?: string;
  /** Whether the newest user message has a tool_result block. */
  has_tool_result?: boolean;
  /** In the system prompt. */
  system?: string;
  /** In the model id. */
  model?: string;
  /** A tool of this exact name is declared. */
  tool?: string;
  /** Whether any tool is declared. */
  has_tools?: boolean;
}

/** The n-th request that a rule matches gets its n-th reply; the last one repeats. */
export interface Rule<Answer extends Reply = Reply> {
  when?: When;
  replies: Answer[];
}

export type RuleFunction<Answer extends Reply = Reply> = (request: ModelRequest) => Answer | undefined;
export type Script<Answer extends Reply = Reply> = ReadonlyArray<Rule<Answer> | RuleFunction<Answer>>;

/** The parts of a Messages API request body that rules look at. */
export interface ModelRequest {
  model: string;
  system?: string | Array<{ type: string; text?: string }>;
  messages: Array<{ role: string; content: string | ContentBlock[] }>;
  tools?: Array<{ name: string }>;
  stream?: boolean;
  [field: string]: unknown;
}

export interface ContentBlock {
  type: string;
  [field: string]: unknown;
}

/** Picks the reply of the first rule that matches; remembers how often each rule was used. */
export class ScriptReader<Answer extends Reply = Reply> {
  readonly #script: Script<Answer>;
  readonly #used = new Map<Rule<Answer>, number>();

  constructor(script: Script<Answer>) {
    this.#script = script;
  }

  /** The reply to one request. Without a matching rule: a text that repeats the newest user text. */
  replyTo(request: ModelRequest): Answer | Reply {
    for (const rule of this.#script) {
      if (typeof rule === 'function') {
        const reply = rule(request);
        if (reply) return reply;
        continue;
      }
      if (!matches(rule.when ?? {}, request)) continue;
      const used = this.#used.get(rule) ?? 0;
      this.#used.set(rule, used + 1);
      const reply = rule.replies[Math.min(used, rule.replies.length - 1)];
      if (reply) return reply;
    }
    return { content: [{ type: 'text', text: `You said: ${newestWords(request) ?? '(nothing)'}` }] };
  }
}

function matches(when: When, request: ModelRequest): boolean {
  const results = newestToolResults(request);
  const tools = request.tools ?? [];
  if (when.text !== undefined && !newestUserText(request).includes(when.text)) return false;
  if (
    when.tool_result !== undefined &&
    !results.some((block) => textOf(block.content).includes(when.tool_result ?? ''))
  ) {
    return false;
  }
  if (when.has_tool_result !== undefined && results.length > 0 !== when.has_tool_result) return false;
  if (when.system !== undefined && !textOf(request.system).includes(when.system)) return false;
  if (when.model !== undefined && !request.model.includes(when.model)) return false;
  if (when.tool !== undefined && !tools.some((tool) => tool.name === when.tool)) return false;
  if (when.has_tools !== undefined && tools.length > 0 !== when.has_tools) return false;
  return true;
}

/** What the user said last, which need not stand in the newest message: results may follow it, and words of the program's own. */
function newestWords({ messages }: ModelRequest): string | undefined {
  for (const { role, content } of [...messages].reverse()) {
    const blocks = typeof content === 'string' ? [{ text: content }] : content;
    const said = role === 'user' ? blocks.filter(({ text }) => !String(text).startsWith('<system-reminder>')) : [];
    const words = textOf(said);
    if (words !== '') return words;
  }
  return undefined;
}

/** The text blocks of the newest user message, joined by newlines. */
export function newestUserText(request: ModelRequest): string {
  const message = request.messages.at(-1);
  return message?.role === 'user' ? textOf(message.content) : '';
}

/** The tool_result blocks of the newest user message. */
export function newestToolResults(request: ModelRequest): ContentBlock[] {
  const message = request.messages.at(-1);
  if (message?.role !== 'user' || typeof message.content === 'string') return [];
  return message.content.filter((block) => block.type === 'tool_result');
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .filter((block): block is { text: string } => typeof block?.text === 'string')
    .map((block) => block.text)
    .join('\n');
}
