import type { Context } from 'hono';
import type { ModelRoute } from '../dialects/dialect.ts';
import { MissingModels } from '../models/missing-models.ts';
import { failed } from '../spec/failures.ts';
import { MODEL_NAME } from '../spec/model-listing.ts';
import type { AppOptions, Env } from './app-options.ts';
import { findFor } from './named-agent.ts';
import { onceOver } from './once-over.ts';
import { callerFrom, headersOf, viaFrom } from './request-headers.ts';

/** Serves one model by its id or alias, or one agent by its name. Of a model that is not known yet the API is asked: a count calls no model. */
export function modelHandler(options: AppOptions, { decode, encode }: ModelRoute) {
  const { gateway, models, agents } = options;
  const missing = new MissingModels();
  return async (context: Context<Env>): Promise<Response> => {
    const name = decode(context.req.param('id') ?? '');
    const known = findFor(name, context, options);
    if (known) return context.json(encode(known));
    // To who may not ask an agent, its name is nobody's.
    if (MODEL_NAME.test(name) && !agents.has(name) && (await isThere(name, context)))
      return context.json(encode({ id: name, aliases: [] }));
    throw failed('model_not_known', { model: name, listed: models.list.map(({ id }) => id) });
  };

  async function isThere(name: string, context: Context<Env>): Promise<boolean> {
    if (missing.has(name, performance.now())) return false;
    const isThere = await isCounted(name, context);
    if (!isThere) missing.add(name, performance.now());
    return isThere;
  }

  /** Whether the API counts tokens for this model, which it does for those that it has. */
  async function isCounted(model: string, context: Context<Env>): Promise<boolean> {
    const header = headersOf(context);
    const gone = new AbortController();
    onceOver(context.env, () => gone.abort());
    const { source } = await gateway.countTokens({
      request: {
        model,
        system: '',
        messages: [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }],
        tools: [],
        parameters: { max_tokens: 1 },
        betas: [],
        stream: false,
        ignored: [],
        converted: [],
        unknown: [],
        via: viaFrom(header),
      },
      caller: callerFrom(header),
      signal: gone.signal,
    });
    return source === 'sdk';
  }
}
