import type { Dialect, DialectRoute, WireRequest } from '../dialect.ts';
import { CONTRACT } from './contract-table.ts';
import { decodeRequest, modelName } from './decode-request.ts';
import { StreamEncoder, wholeEncoder } from './encode-answer.ts';
import { errorBody } from './encode-error.ts';
import { limitHeaders } from './encode-limits.ts';
import { encodeModel, encodeModelsPage } from './encode-models.ts';

/** The Anthropic Messages API. */
export const anthropicMessages: Dialect = {
  name: 'anthropic-messages',
  routes: [
    // Some users give their client a base URL with `/v1`, others without.
    ...['/v1/models', '/models'].flatMap((path): DialectRoute[] => [
      { serves: 'models', method: 'GET', path, encode: encodeModelsPage },
      { serves: 'model', method: 'GET', path, decode: modelName, encode: encodeModel },
    ]),
    ...['/v1/messages', '/messages'].flatMap((path): DialectRoute[] => [
      {
        serves: 'turn',
        method: 'POST',
        path,
        decode: (wire) => {
          const request = decode(wire);
          return {
            request,
            encoder: (requestId) => (request.stream ? new StreamEncoder(requestId) : wholeEncoder),
          };
        },
      },
      {
        serves: 'token count',
        method: 'POST',
        path: `${path}/count_tokens`,
        decode: (wire) => decode(withMaxTokens(wire)),
        encode: (inputTokens) => ({ input_tokens: inputTokens }),
      },
    ]),
  ],
  contract: CONTRACT,
  encodeError: (failure, requestId) => ({ status: failure.status, body: errorBody(failure, requestId) }),
  limitHeaders,
  asReturned: ({ content }) => ({ role: 'assistant', content }),
};

function decode({ body, header, ...wire }: WireRequest) {
  return decodeRequest(body, {
    betas: (header('anthropic-beta') ?? '')
      .split(',')
      .map((value) => value.trim())
      .filter((value) => value !== ''),
    ...wire,
  });
}

/** A count needs no `max_tokens`, a turn does. */
function withMaxTokens(wire: WireRequest): WireRequest {
  const { body } = wire;
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return wire;
  return { ...wire, body: { ...body, max_tokens: ('max_tokens' in body ? body.max_tokens : undefined) ?? 1 } };
}
