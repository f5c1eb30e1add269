/** What a stream can be refused for; for tests that damage one on purpose. */
export type Complaint = 'bytes' | 'frame' | 'order' | 'index' | 'delta' | 'field' | 'input' | 'whole' | 'end';

/** The first departure of a stream from the grammar. */
export class UngrammaticalStream extends Error {
  readonly about: Complaint;

  constructor(about: Complaint, problem: string) {
    super(`The stream is ungrammatical (${about}): ${problem}`);
    this.name = 'UngrammaticalStream';
    this.about = about;
  }
}

/** The payload of one frame; its `type` is the name of the event. */
export interface StreamEvent {
  type: string;
  [field: string]: unknown;
}

/** Which frames an API writes. The event stream format would permit more. */
export interface FrameFormat<Frame> {
  /** How the lines of a frame begin. */
  heads: readonly string[];
  /** @param values what stands behind the heads */
  read(...values: string[]): Frame;
}

/** `event: NAME\ndata: JSON\n\n`, as the Messages API and OpenAI's responses have it. */
export const NAMED_EVENTS: FrameFormat<StreamEvent> = { heads: ['event: ', 'data: '], read: toEvent };

/** `data: TEXT\n\n`, as OpenAI's chat completions have it. */
export const DATA_ALONE: FrameFormat<string> = { heads: ['data: '], read: (data) => data };

/** Reads frames of exactly one format from bytes that may be cut anywhere. */
export class FrameReader<Frame> {
  readonly #format: FrameFormat<Frame>;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  /** The complete lines of the frame that is being read. */
  readonly #lines: string[] = [];
  #rest = '';
  /** Looking at the head of a line that grows makes one string of its pieces each time. */
  #isHeadChecked = false;

  constructor(format: FrameFormat<Frame>) {
    this.#format = format;
  }

  /** @throws UngrammaticalStream also for the beginning of a line that cannot end well */
  *read(chunk: Uint8Array): Generator<Frame> {
    const [first = '', ...others] = this.#decode(chunk).split('\n');
    this.#rest += first;
    for (const next of others) {
      if (this.#endsFrame(this.#rest)) yield this.#format.read(...this.#lines.splice(0));
      this.#rest = next;
      this.#isHeadChecked = false;
    }
    if (this.#isHeadChecked) return;
    const head = this.#checkHead(this.#rest);
    this.#isHeadChecked = head !== '' && this.#rest.length >= head.length;
  }

  /** @throws UngrammaticalStream inside a frame or a character */
  end(): void {
    try {
      this.#decoder.decode();
    } catch {
      throw new UngrammaticalStream('end', 'it ends inside a character');
    }
    const pending = [...this.#lines, this.#rest].join('\n');
    if (pending !== '') throw new UngrammaticalStream('end', `it ends inside the frame ${JSON.stringify(pending)}`);
  }

  #decode(chunk: Uint8Array): string {
    try {
      return this.#decoder.decode(chunk, { stream: true });
    } catch {
      throw new UngrammaticalStream('bytes', 'it is not UTF-8');
    }
  }

  #endsFrame(line: string): boolean {
    const head = this.#checkHead(line);
    if (line.length < head.length || line.includes('\r')) throw badLine(line, head);
    if (head !== '') this.#lines.push(line.slice(head.length));
    return head === '';
  }

  #checkHead(line: string): string {
    const head = this.#format.heads[this.#lines.length] ?? '';
    const length = Math.min(head.length, line.length);
    if (head === '' ? line !== '' : line.slice(0, length) !== head.slice(0, length)) throw badLine(line, head);
    return head;
  }
}

function badLine(line: string, head: string): UngrammaticalStream {
  const expected = head === '' ? 'an empty line' : `a line that begins with ${JSON.stringify(head)}`;
  return new UngrammaticalStream('frame', `expected ${expected}, got ${JSON.stringify(line)}`);
}

function toEvent(name = '', data = ''): StreamEvent {
  let event: unknown;
  try {
    event = JSON.parse(data);
  } catch {
    throw new UngrammaticalStream('frame', `the data of \`${name}\` is not JSON: ${JSON.stringify(data)}`);
  }
  const type = typeof event === 'object' && event !== null && 'type' in event ? event.type : undefined;
  if (type !== name) throw new UngrammaticalStream('frame', `the event \`${name}\` has the type \`${type}\``);
  return event as StreamEvent;
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
