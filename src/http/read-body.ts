import type { IncomingMessage } from 'node:http';
import { badRequest, FailureError, failed, failure } from '../spec/failures.ts';

/** The largest body that is read, in bytes; the API's own limit. */
const LARGEST_BODY = 32 * 1024 * 1024;

/** A body that is too large is read up to here and dropped: a client that is still writing could not read its refusal. */
const MOST_READ = 2 * LARGEST_BODY;

/**
 * Reads a body as UTF-8 text, straight from the socket's events: the framework would build a web stream first, which costs a
 * millisecond a request. It counts the bytes as they come.
 *
 * @throws FailureError `body_too_large`, `bad_request` for what is no UTF-8, `client_gone`
 */
export async function readBody(incoming: IncomingMessage): Promise<{ text: string; bytes: number }> {
  const { chunks, length } = await readChunks(incoming);
  if (length > LARGEST_BODY) {
    throw failed('body_too_large', { megabytes: LARGEST_BODY / 1024 / 1024 });
  }
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks, length)), bytes: length };
  } catch {
    throw badRequest('', 'The body is not valid UTF-8.');
  }
}

/** Reads all of a body; of one that is too large as much as {@link MOST_READ}, and keeps nothing beyond the limit. */
function readChunks(incoming: IncomingMessage): Promise<{ chunks: Buffer[]; length: number }> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const end = () => {
      incoming.off('data', take).off('end', end).off('close', leave).off('error', leave);
      resolve({ chunks, length });
    };
    const take = (chunk: Buffer) => {
      length += chunk.length;
      if (length <= LARGEST_BODY) chunks.push(chunk);
      if (length <= MOST_READ) return;
      incoming.pause();
      end();
    };
    const leave = (error?: Error) => reject(new FailureError(failure('client_gone'), { cause: error }));
    if (incoming.destroyed) leave();
    else incoming.on('data', take).once('end', end).once('close', leave).once('error', leave);
  });
}
