import type { IncomingMessage } from 'node:http';
import { badRequest, failed } from '../spec/failures.ts';
import type { Intake } from './intake.ts';
import { letOthersRun } from './let-others-run.ts';
import { BODY_LIMITS, readBody } from './read-body.ts';

/** UTF-8 cannot hold half a surrogate pair; a JSON escape can. */
const SURROGATE_ESCAPE = /\\u[dD]/;

export interface JsonBody {
  body: unknown;
  /** Bytes of its text. */
  bytes: number;
  mayHoldLoneSurrogates: boolean;
}

/**
 * Reads a JSON body.
 *
 * @throws FailureError `unsupported_media_type`, `bad_request`, and what {@link readBody} throws
 */
export async function readJson(incoming: IncomingMessage, intake: Intake): Promise<JsonBody> {
  const type = incoming.headers['content-type'] ?? '';
  if (type.split(';')[0]?.trim().toLowerCase() !== 'application/json') {
    throw failed('unsupported_media_type', `The content type must be application/json, not ${JSON.stringify(type)}.`);
  }
  const encoding = incoming.headers['content-encoding'] ?? 'identity';
  if (encoding.trim().toLowerCase() !== 'identity') {
    throw failed(
      'unsupported_media_type',
      `The body must not be compressed, and its content-encoding is ${JSON.stringify(encoding)}.`,
    );
  }
  const { text, bytes } = await readBody(incoming, BODY_LIMITS, intake);
  const mayHoldLoneSurrogates = SURROGATE_ESCAPE.test(text);
  await letOthersRun(bytes);
  try {
    return { body: JSON.parse(text), bytes, mayHoldLoneSurrogates };
  } catch (error) {
    throw badRequest('', `The body is not valid JSON: ${withoutQuotation(String(error))}.`);
  }
}

/** The parser's message without the part of the body that it quotes: the log has failures, but no content. */
function withoutQuotation(message: string): string {
  return message.replace(/^SyntaxError: /, '').replace(/,? ?(\.\.\.)?".*$/s, '');
}
