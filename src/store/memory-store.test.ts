import { describe } from 'vitest';
import { conformsToExpansionStore } from '../../test/support/store-conformance.ts';
import { MemoryStore } from './memory-store.ts';

describe('the store in memory', () => {
  conformsToExpansionStore(
    (limits) => new MemoryStore(limits),
    async () => undefined,
    false,
  );
});
