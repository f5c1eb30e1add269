import { badRequest, failed } from '../../spec/failures.ts';
import { MODEL_NAME } from '../../spec/model-listing.ts';
import type { WireRequest } from '../dialect.ts';

const OF_OPENAI = /^(gpt-|o\d|chatgpt|codex)/i;

/**
 * The model that a request of an OpenAI client asks for.
 *
 * @throws FailureError `bad_request`; `not_found` for a model of OpenAI that the operator has not mapped
 */
export function requestedModel(model: unknown, { aliasOf, models }: Pick<WireRequest, 'aliasOf' | 'models'>): string {
  if (typeof model !== 'string') throw badRequest('model', model === undefined ? 'Field required' : 'must be a string');
  const name = model.replace(/^anthropic\//, '');
  const alias = aliasOf(name);
  if (alias !== undefined) return alias;
  if (!MODEL_NAME.test(name)) throw badRequest('model', 'must be 1 to 256 printable ASCII characters without spaces');
  if (OF_OPENAI.test(name)) throw failed('model_not_mapped', { model: name, models: models() });
  return name;
}
