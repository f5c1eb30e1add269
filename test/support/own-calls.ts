import type { ContentBlock, ModelRequest } from '../../scripted-model/script.ts';
import type { RecordedRequest } from '../../scripted-model/server.ts';

/** The message of the one error for which a test is taken again, see vitest.config.ts. */
export const KILLED_TOO_LATE = 'Claude Code went on by itself before it was killed';

/**
 * Tells Claude Code's own calls of the model from those of a client. After some answers Claude Code goes on by itself, and the
 * gateway kills its process to stop that (docs/decisions/0004). On a busy machine the call may be quicker than the kill. That is
 * no fault of the gateway.
 *
 * An own call comes from the same process as the call before it, whose answer had begun. It says nothing new of a client's: it
 * repeats the newest message, or holds only Claude Code's own words. A call that the gateway repeats comes from another process.
 */
export class OwnCalls {
  /** The last request of each process, by its session. */
  readonly #last = new Map<string, RecordedRequest>();
  readonly #own = new Set<RecordedRequest>();
  readonly #mayGoOn: (request: RecordedRequest) => boolean;

  /** @param mayGoOn whether an own call may follow this request; by default, once its answer has begun */
  constructor(mayGoOn: (request: RecordedRequest) => boolean = ({ events }) => events > 0) {
    this.#mayGoOn = mayGoOn;
  }

  /** For `onRequest` of a scripted model. */
  readonly hear = (request: RecordedRequest): void => {
    const session = String(request.headers['x-claude-code-session-id']);
    const before = this.#last.get(session);
    this.#last.set(session, request);
    if (before && this.#mayGoOn(before) && isOwn(request.body, before.body)) this.#own.add(request);
  };

  has(request: RecordedRequest): boolean {
    return this.#own.has(request);
  }

  /** How many processes have made such calls. */
  get processes(): number {
    return new Set([...this.#own].map(({ headers }) => headers['x-claude-code-session-id'])).size;
  }

  /**
   * For `afterEach`: throws {@link KILLED_TOO_LATE} if there was such a call since the last time, and the test is taken again.
   * It loses the race every time when nothing kills the process.
   */
  readonly refuse = (): void => {
    const own = [...this.#own].map(({ body }) => JSON.stringify(body.messages.at(-1)));
    this.#own.clear();
    if (own.length > 0) throw new Error(`${KILLED_TOO_LATE}: ${own.join('\n')}`);
  };
}

function isOwn(request: ModelRequest, before: ModelRequest): boolean {
  // What a client asks for again may go to the same process: a test that does so asks with another limit.
  if (request.max_tokens !== before.max_tokens) return false;
  const said = saidIn(request);
  return said === '[]' || (request.messages.length === before.messages.length && said === saidIn(before));
}

/**
 * What Claude Code says to the model by itself, as the beginning of a text or of a tool's result. Words that it changes turn
 * the race red again, and nothing else.
 */
const CLAUDE_CODES =
  /^(\[\{"type":"text","text":)?"(<system-reminder>|<tool_use_error>|The tool call was interrupted before|\(no content\)")/;

/** What the newest message says, but for Claude Code's own words. */
function saidIn({ messages }: ModelRequest): string {
  const content = messages.at(-1)?.content ?? [];
  const blocks: ContentBlock[] = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
  const others = blocks.filter(({ text, content }) => !CLAUDE_CODES.test(JSON.stringify(text ?? content ?? '')));
  return JSON.stringify(
    others.map(({ cache_control: _, text, ...rest }) => ({
      ...rest,
      ...(typeof text === 'string' && { text: text.trim() }),
    })),
  );
}
