import { type ModelInfo, query, type SDKUserMessage } from '@anthropic-ai/claude-agent-sdk';
import { EventQueue } from '../../async/event-queue.ts';
import { within } from '../../async/within.ts';
import type { Introduction } from '../../spec/engine.ts';
import { failed } from '../../spec/failures.ts';
import type { ModelListing } from '../../spec/model-listing.ts';
import type { ProcessMaker } from '../process/process-maker.ts';

/** How long the process may take to answer, in milliseconds. */
const INTRODUCTION_MS = 60_000;
/** How long a process that is asked to end may take. */
const GENTLE_END_MS = 2_000;
/** How long after the SDK's error the end of its process may come. */
const END_MS = 1_000;

/**
 * What the SDK says of itself: which credential it finds, and its models. Takes one process; calls no model.
 *
 * @throws FailureError `process_start_failed` when the process ended; the SDK's error otherwise
 */
export async function introduce(maker: ProcessMaker): Promise<Introduction> {
  const made = maker.create();
  const prompt = new EventQueue<SDKUserMessage>();
  const sdkQuery = query({ prompt, options: maker.options(made, maker.profile(made)) });
  try {
    const { account, models } = await within(sdkQuery.initializationResult(), INTRODUCTION_MS);
    return { account, models: toModelListings(models) };
  } catch (error) {
    await within(made.child.gone, END_MS).catch(() => undefined);
    throw made.child.ended ? failed('process_start_failed', made.child.ended) : error;
  } finally {
    // A kill this early would leave a lock in the user's configuration. Without a prompt a gentle end calls no model.
    sdkQuery.close();
    setTimeout(() => made.child.end(), GENTLE_END_MS).unref();
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
