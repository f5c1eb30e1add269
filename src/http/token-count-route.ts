import type { Context } from 'hono';
import type { TokenCountRoute } from '../dialects/dialect.ts';
import type { AnswerMemories } from './answer-memories.ts';
import type { AppOptions, Env } from './app-options.ts';
import { fieldHeaders } from './field-list.ts';
import type { Intake } from './intake.ts';
import { letOthersRun } from './let-others-run.ts';
import { agentHeader, withAgent } from './named-agent.ts';
import { onceOver } from './once-over.ts';
import { readJson } from './read-json.ts';
import { callerFrom, headersOf, isStrict, viaFrom } from './request-headers.ts';

/** Serves the number of tokens that a turn would send to the model. */
export function tokenCountHandler(
  options: AppOptions,
  { decode, encode }: TokenCountRoute,
  { intake, memories }: { intake: Intake; memories: AnswerMemories },
) {
  const { gateway, passesBeta, aliasOf } = options;
  return async (context: Context<Env>): Promise<Response> => {
    const gone = new AbortController();
    onceOver(context.env, () => gone.abort());
    const header = headersOf(context);
    const caller = callerFrom(header);
    const { body, bytes, mayHoldLoneSurrogates } = await readJson(context.env.incoming, intake);
    await letOthersRun(bytes);
    const strict = isStrict(header, options.strict);
    const decoded = decode({
      body,
      header,
      strict,
      mayHoldLoneSurrogates,
      passesBeta,
      aliasOf,
      bytes,
      memory: memories.of(caller.id),
    });
    const request = withAgent(decoded, context, options, strict);
    await letOthersRun(bytes);
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
