import type { ModelInfo, SDKControlGetContextUsageResponse } from '@anthropic-ai/claude-agent-sdk';
import type { ModelListing } from '../../spec/model-listing.ts';

/** Aliases of one model are one model. */
export function toModelListings(models: readonly ModelInfo[]): ModelListing[] {
  const listings = new Map<string, ModelListing>();
  for (const { value, resolvedModel } of models) {
    const id = resolvedModel ?? value;
    const listing = listings.get(id) ?? { id, aliases: [] };
    if (value !== id) listing.aliases.push(value);
    listings.set(id, listing);
  }
  return [...listings.values()];
}

/** The tokens of everything that the request would send. */
export function usedTokens({ categories }: SDKControlGetContextUsageResponse): number {
  return categories.filter(({ kind }) => kind === 'used').reduce((sum, { tokens }) => sum + tokens, 0);
}

/** The tokens of the messages alone. */
export function messageTokens({ categories }: SDKControlGetContextUsageResponse): number | undefined {
  return categories.find(({ id }) => id === 'messages')?.tokens;
}
