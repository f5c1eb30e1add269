import type { Context } from 'hono';
import type { TokenCountRoute } from '../dialects/dialect.ts';
import type { AppOptions, Env } from './app-options.ts';
import { fieldHeaders } from './field-list.ts';
import { letOthersRun } from './let-others-run.ts';
import { agentHeader, withAgent } from './named-agent.ts';
import { onceOver } from './once-over.ts';
import { readWire, type WireSources } from './read-wire.ts';
import { callerFrom, headersOf, viaFrom } from './request-headers.ts';

/** Serves the number of tokens that a turn would send to the model. */
export function tokenCountHandler(options: AppOptions, { decode, encode }: TokenCountRoute, sources: WireSources) {
  const { gateway } = options;
  return async (context: Context<Env>): Promise<Response> => {
    const gone = new AbortController();
    onceOver(context.env, () => gone.abort());
    const header = headersOf(context);
    const caller = callerFrom(header);
    const wire = await readWire(context, caller, options, sources);
    const request = withAgent(decode(wire), context, options, wire.strict);
    await letOthersRun(wire.bytes);
    const { inputTokens, source } = await gateway.countTokens({
      request: { ...request, via: viaFrom(header) },
      caller,
      signal: gone.signal,
    });
    return Response.json(encode(inputTokens), {
      headers: {
        'request-id': context.get('requestId'),
        'isthmus-token-count': source,
        ...agentHeader(request),
        ...fieldHeaders(request),
      },
    });
  };
}
