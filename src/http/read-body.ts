import type { IncomingMessage } from 'node:http';
import { badRequest, clientGone, FailureError } from '../spec/failure.ts';

/** The largest body that is read, in bytes; the API's own limit. */
const LARGEST_BODY = 32 * 1024 * 1024;

/**
 * Reads a body as UTF-8 text, straight from the socket's stream: what the framework offers for it builds a web stream
 * first, at a millisecond a request. The limit is counted as it is read.
 *
 * @throws FailureError `body_too_large` (the rest is not read), `bad_request` for what is no UTF-8, `client_gone`
 */
export async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = Number(incoming.headers['content-length'] ?? 0) > LARGEST_BODY ? Number.POSITIVE_INFINITY : 0;
  try {
    if (length <= LARGEST_BODY) {
      for await (const chunk of incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        length += chunk.length;
        if (length > LARGEST_BODY) break;
        chunks.push(chunk);
      }
    }
  } catch (error) {
    throw new FailureError(clientGone(), { cause: error });
  }
  if (length > LARGEST_BODY) {
    throw new FailureError({
      code: 'body_too_large',
      status: 413,
      type: 'request_too_large',
      message: `The body is larger than ${LARGEST_BODY / 1024 / 1024} MB.`,
    });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks, length));
  } catch {
    throw badRequest('', 'The body is not valid UTF-8.');
  }
}
