import type { ModelInfo } from '@anthropic-ai/claude-agent-sdk';
import { within } from '../../async/within.ts';
import type { Introduction } from '../../spec/engine.ts';
import type { ModelListing } from '../../spec/model-listing.ts';
import type { ProcessMaker } from '../process/process-maker.ts';
import { spawnFailure } from '../process/spawn-failure.ts';
import { canReuse } from '../reuse/dry-run.ts';
import { spawnToAsk } from './ask-process.ts';
import { untilRenewed } from './renew-sign-in.ts';

/** How long the process may take to answer, in milliseconds. */
const INTRODUCTION_MS = 60_000;

/**
 * What the SDK says of itself: which credential it finds, its models, and whether its processes can be used again. Takes one
 * process; calls no model.
 *
 * @throws FailureError `process_spawn_failed` when the process ended; the SDK's error otherwise
 */
export async function introduce(maker: ProcessMaker): Promise<Introduction & { canReuse: boolean }> {
  const asked = spawnToAsk(maker);
  const { query, child } = asked;
  try {
    const { account, models } = await within(query.initializationResult(), INTRODUCTION_MS);
    return { account, models: toModelListings(models), canReuse: await canReuse(asked) };
  } catch (error) {
    throw await spawnFailure(child, error);
  } finally {
    if (maker.environment.isLogin)
      void untilRenewed(query)
        .catch(() => undefined)
        .finally(asked.end);
    else asked.end();
  }
}

/** One listing for each model, with all of its aliases. */
function toModelListings(models: readonly ModelInfo[]): ModelListing[] {
  const listings = new Map<string, ModelListing>();
  for (const { value, resolvedModel } of models) {
    const id = resolvedModel ?? value;
    const listing = listings.get(id) ?? { id, aliases: [] };
    if (value !== id) listing.aliases.push(value);
    listings.set(id, listing);
  }
  return [...listings.values()];
}
