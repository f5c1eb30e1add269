const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPENING = [0x5b, 0x7b];
const CLOSING = [0x5d, 0x7d];

/** A search by the system pays for a longer rest of a string only, in bytes. */
const SHORT_STRING = 32;

/**
 * Counts what a JSON text holds as its bytes come, before anything is built from them. It does not see whether the text is
 * valid.
 */
export class JsonCounter {
  /** Fields and list items so far; an empty list or object counts as one more. */
  items = 0;
  /** The most lists and objects that stood inside each other so far. */
  deepest = 0;
  #depth = 0;
  #isInString = false;
  /** Whether the next byte of the string is escaped. */
  #isEscaped = false;

  add(bytes: Buffer): void {
    let at = this.#isInString ? this.#afterString(bytes, 0) : 0;
    while (at < bytes.length) {
      const byte = bytes[at] as number;
      at += 1;
      if (byte === QUOTE) {
        at = this.#afterString(bytes, at);
      } else if (byte === COMMA) {
        this.items += 1;
      } else if (byte === OPENING[0] || byte === OPENING[1]) {
        this.items += 1;
        this.#depth += 1;
        if (this.#depth > this.deepest) this.deepest = this.#depth;
      } else if (byte === CLOSING[0] || byte === CLOSING[1]) {
        this.#depth -= 1;
      }
    }
  }

  /** @returns the index after the end of a string, which goes on at `from`; the length if it does not end in these bytes */
  #afterString(bytes: Buffer, from: number): number {
    let at = from;
    let isEscaped = this.#isEscaped;
    for (const until = Math.min(bytes.length, from + SHORT_STRING); at < until; at += 1) {
      if (isEscaped) isEscaped = false;
      else if (bytes[at] === BACKSLASH) isEscaped = true;
      else if (bytes[at] === QUOTE) return this.#leaveString(at);
    }
    let start = isEscaped ? at + 1 : at;
    while (start <= bytes.length) {
      const quote = bytes.indexOf(QUOTE, start);
      isEscaped = backslashesBefore(bytes, start, quote < 0 ? bytes.length : quote) % 2 === 1;
      if (quote < 0) break;
      if (!isEscaped) return this.#leaveString(quote);
      start = quote + 1;
    }
    this.#isInString = true;
    this.#isEscaped = isEscaped;
    return bytes.length;
  }

  #leaveString(quote: number): number {
    this.#isInString = false;
    this.#isEscaped = false;
    return quote + 1;
  }
}

/** The length of the run of backslashes right before `end`, not further back than `start`. */
function backslashesBefore(bytes: Buffer, start: number, end: number): number {
  let at = end;
  while (at > start && bytes[at - 1] === BACKSLASH) at -= 1;
  return end - at;
}
