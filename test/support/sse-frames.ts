/** What a stream can be refused for; for tests that damage one on purpose. */
export type Complaint = 'bytes' | 'frame' | 'order' | 'index' | 'delta' | 'field' | 'input' | 'end';

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

/** How the lines of a frame begin. */
const HEADS = ['event: ', 'data: ', ''] as const;

/**
 * Reads frames of exactly `event: NAME\ndata: JSON\n\n` from bytes that may be cut anywhere. The event stream format
 * would permit more; the Messages API does not use it.
 */
export class FrameReader {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  /** The complete lines of the frame that is being read. */
  #lines: string[] = [];
  #rest = '';
  /** Looking at the head of a line that grows makes one string of its pieces each time. */
  #isHeadChecked = false;

  /** @throws UngrammaticalStream also for the beginning of a line that cannot end well */
  *read(chunk: Uint8Array): Generator<StreamEvent> {
    const [first = '', ...others] = this.#decode(chunk).split('\n');
    this.#rest += first;
    for (const next of others) {
      const event = this.#takeLine(this.#rest);
      if (event) yield event;
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

  #takeLine(line: string): StreamEvent | undefined {
    const head = this.#checkHead(line);
    if (line.length < head.length || line.includes('\r')) throw badLine(line, head);
    this.#lines.push(line.slice(head.length));
    if (head !== '') return undefined;
    const [name = '', data = ''] = this.#lines;
    this.#lines = [];
    return toEvent(name, data);
  }

  #checkHead(line: string): string {
    const head = HEADS[this.#lines.length] ?? '';
    const length = Math.min(head.length, line.length);
    if (head === '' ? line !== '' : line.slice(0, length) !== head.slice(0, length)) throw badLine(line, head);
    return head;
  }
}

function badLine(line: string, head: string): UngrammaticalStream {
  const expected = head === '' ? 'an empty line' : `a line that begins with ${JSON.stringify(head)}`;
  return new UngrammaticalStream('frame', `expected ${expected}, got ${JSON.stringify(line)}`);
}

function toEvent(name: string, data: string): StreamEvent {
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
