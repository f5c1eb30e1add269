import { isAscii } from 'node:buffer';

/** The first drops a byte order mark; a later one is a character of the text. */
const FIRST_DECODER = new TextDecoder('utf-8', { fatal: true });
const DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Decodes UTF-8 as its bytes come, so that a long text does not hold the event loop at its end. */
export class Utf8Text {
  #text = '';
  /** The bytes of a character that is not complete yet. */
  #rest: Buffer = Buffer.alloc(0);
  #decoder = FIRST_DECODER;

  /** @throws TypeError for what is no UTF-8 */
  add(bytes: Buffer): void {
    const joined = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const end = endOfCharacters(joined);
    this.#decode(joined.subarray(0, end));
    // A copy: the rest of a chunk would keep all of it.
    this.#rest = Buffer.from(joined.subarray(end));
  }

  /**
   * All that was added, as text.
   *
   * @throws TypeError if it ends within a character
   */
  end(): string {
    this.#decode(this.#rest);
    return this.#text;
  }

  #decode(bytes: Buffer): void {
    if (bytes.length === 0) return;
    // Several times faster than a decoder; most bodies are ASCII for the most part.
    this.#text += isAscii(bytes) ? bytes.toString('latin1') : this.#decoder.decode(bytes);
    this.#decoder = DECODER;
  }
}

/** The index behind the last complete character: at most three bytes of an incomplete one may follow. */
function endOfCharacters(bytes: Buffer): number {
  const { length } = bytes;
  for (let back = 1; back <= Math.min(3, length); back += 1) {
    const byte = bytes[length - back] as number;
    const isContinuation = (byte & 0xc0) === 0x80;
    if (isContinuation) continue;
    const size = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return size > back ? length - back : length;
  }
  return length;
}
