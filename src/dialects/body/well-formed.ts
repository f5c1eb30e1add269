import { badRequest } from '../../spec/failures.ts';

/** Half a surrogate pair: the SDK would replace it in silence, the API refuses it. */
export function assertWellFormed(value: unknown, path: string): void {
  if (typeof value === 'string') {
    if (LONE_SURROGATE.test(value)) throw badRequest(path, 'has half a surrogate pair, which is not valid Unicode');
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      if (LONE_SURROGATE.test(key))
        throw badRequest(path, 'the name of a field has half a surrogate pair, which is not valid Unicode');
      assertWellFormed(inner, path ? `${path}.${key}` : key);
    }
  }
}

const LONE_SURROGATE = /\p{Surrogate}/u;
