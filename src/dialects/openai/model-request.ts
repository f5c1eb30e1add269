import { badRequest, failed } from '../../spec/failures.ts';
import { MODEL_NAME } from '../../spec/model-listing.ts';
import type { WireRequest } from '../dialect.ts';

const OF_OPENAI = /^(openai\/|gpt-|o\d|chatgpt|codex)/i;

/** The model that answers a request. */
export interface RequestedModel {
  model: string;
  /** What the request names, where an agent's model stands in its place. */
  askedModel?: string;
}

/**
 * The model that a request of an OpenAI client asks for. Beside an agent that has one of its own, any name will do.
 *
 * @throws FailureError `bad_request`; `model_not_mapped` for a model of OpenAI that the operator has not mapped;
 * `agent_not_found`
 */
export function requestedModel(
  model: unknown,
  { aliasOf, agentModel, models }: Pick<WireRequest, 'aliasOf' | 'agentModel' | 'models'>,
): RequestedModel {
  if (typeof model !== 'string') throw badRequest('model', model === undefined ? 'Field required' : 'must be a string');
  const name = model.replace(/^anthropic\//, '');
  const asked = aliasOf(name) ?? name;
  if (!MODEL_NAME.test(asked)) throw badRequest('model', 'must be 1 to 256 printable ASCII characters without spaces');
  const ofAgent = agentModel(asked);
  if (ofAgent !== undefined) return { model: ofAgent, askedModel: asked };
  if (asked === name && OF_OPENAI.test(name)) throw failed('model_not_mapped', { model: name, models: models() });
  return { model: asked };
}
