import { createRequire } from 'node:module';

/** Isthmus's own version. */
export function ownVersion(): string {
  return createRequire(import.meta.url)('isthmus-gateway/package.json').version;
}
