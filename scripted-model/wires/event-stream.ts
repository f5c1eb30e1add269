import { crc32 } from 'node:zlib';

/** Lengths of the parts of a message, in bytes. */
const PRELUDE = 12;
const CHECKSUM = 4;
/** The type of a header whose value is a string. */
const STRING = 7;

/** One message of an AWS event stream (`application/vnd.amazon.eventstream`). */
export function eventStreamMessage(headers: Readonly<Record<string, string>>, payload: Uint8Array): Uint8Array {
  const head = Buffer.concat(Object.entries(headers).map(([name, value]) => header(name, value)));
  const message = Buffer.alloc(PRELUDE + head.length + payload.length + CHECKSUM);
  message.writeUInt32BE(message.length, 0);
  message.writeUInt32BE(head.length, 4);
  message.writeUInt32BE(crc32(message.subarray(0, 8)), 8);
  message.set(head, PRELUDE);
  message.set(payload, PRELUDE + head.length);
  message.writeUInt32BE(crc32(message.subarray(0, -CHECKSUM)), message.length - CHECKSUM);
  return message;
}

function header(name: string, value: string): Uint8Array {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([Buffer.of(name.length), Buffer.from(name), Buffer.of(STRING), length, bytes]);
}
