import type { Context } from 'hono';
import type { WireRequest } from '../dialects/dialect.ts';
import type { Caller } from '../spec/caller.ts';
import type { AnswerMemories } from './answer-memories.ts';
import type { AppOptions, Env } from './app-options.ts';
import type { Intake } from './intake.ts';
import { letOthersRun } from './let-others-run.ts';
import { agentModel } from './named-agent.ts';
import { readJson } from './read-json.ts';
import { headersOf, isStrict } from './request-headers.ts';

/** What the routes that take a body share. */
export interface WireSources {
  intake: Intake;
  memories: AnswerMemories;
}

/**
 * Reads a request, as a dialect decodes it.
 *
 * @throws FailureError what {@link readJson} throws
 */
export async function readWire(
  context: Context<Env>,
  caller: Caller,
  options: AppOptions,
  { intake, memories }: WireSources,
): Promise<WireRequest> {
  const { strict, passesBeta, aliasOf, models } = options;
  const header = headersOf(context);
  const read = await readJson(context.env.incoming, intake);
  await letOthersRun(read.bytes);
  const idOf = (name: string) => models.find(name)?.id ?? name;
  return {
    ...read,
    header,
    strict: isStrict(header, strict),
    passesBeta,
    aliasOf,
    models: () => models.list.map(({ id }) => id),
    agentModel: (name) => agentModel(name, context, options),
    idOf,
    memory: memories.of(caller.id),
  };
}
