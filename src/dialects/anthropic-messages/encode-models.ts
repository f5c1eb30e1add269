import { z } from 'zod';
import { badRequest } from '../../spec/failures.ts';
import type { ModelListing } from '../../spec/model-listing.ts';

/** The API's own value for an unknown release date. */
const UNKNOWN_DATE = '1970-01-01T00:00:00Z';

/** Who made the models and the agents, for clients of OpenAI's API, which read the same list. */
const OWNER_OF_MODELS = 'anthropic';
const OWNER_OF_AGENTS = 'isthmus';

/** One model in the API's shape, with OpenAI's keys beside it; `null` stands for what is not known. */
export function encodeModel({ id, maxInputTokens, maxTokens, isAgent }: ModelListing) {
  const line = /^claude-([a-z]+)-/.exec(id)?.[1] ?? null;
  return {
    type: 'model',
    id,
    display_name: isAgent ? `${id} (agent)` : displayName(id),
    created_at: UNKNOWN_DATE,
    line,
    lifecycle: 'active',
    deprecated_at: null,
    retires_at: null,
    max_input_tokens: maxInputTokens ?? null,
    max_tokens: maxTokens ?? null,
    capabilities: null,
    object: 'model',
    created: 0,
    owned_by: isAgent ? OWNER_OF_AGENTS : OWNER_OF_MODELS,
  };
}

/** In one page, and unless a client asks for fewer: clients of OpenAI know no pages, and the operator's own names come last. */
const MOST_MODELS = 1_000;

const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(MOST_MODELS).default(MOST_MODELS),
  after_id: z.string().optional(),
  before_id: z.string().optional(),
});

/**
 * One page of the list of models.
 *
 * @param query the URL's: `limit` (1 to 1000, by default 1000), `after_id`, `before_id`
 * @throws FailureError `bad_request`
 */
export function encodeModelsPage(models: readonly ModelListing[], query: Record<string, string>) {
  const parsed = pageQuery.safeParse(query);
  if (!parsed.success) throw badRequest('limit', 'must be a whole number from 1 to 1000');
  const { limit, after_id, before_id } = parsed.data;
  if (after_id !== undefined && before_id !== undefined) {
    throw badRequest('before_id', 'cannot be given together with after_id');
  }
  const from = after_id === undefined ? 0 : indexOf(models, after_id, 'after_id') + 1;
  const to = before_id === undefined ? models.length : indexOf(models, before_id, 'before_id');
  const candidates = models.slice(from, to);
  const page = before_id === undefined ? candidates.slice(0, limit) : candidates.slice(-limit);
  return {
    object: 'list',
    data: page.map(encodeModel),
    has_more: page.length < candidates.length,
    first_id: page.at(0)?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
  };
}

function indexOf(models: readonly ModelListing[], id: string, field: string): number {
  const index = models.findIndex((model) => model.id === id);
  if (index < 0) throw badRequest(field, `there is no model ${JSON.stringify(id)} in the list`);
  return index;
}

/** `claude-opus-5-5` is Claude Opus 5.5. */
function displayName(id: string): string {
  const [, line = '', version = ''] = /^claude-([a-z]+)-(\d+(?:-\d{1,2})*)/.exec(id) ?? [];
  return line === '' ? id : `Claude ${line.charAt(0).toUpperCase()}${line.slice(1)} ${version.replaceAll('-', '.')}`;
}
