import { randomBytes } from 'node:crypto';
import { type Failure, failure } from '../spec/failures.ts';

/** No chain is longer; what is before does not go on. */
const LONGEST_CHAIN = 16;

/** A new id of a gateway. It is no secret: who knows it can only have his own requests refused. */
export function newGatewayId(): string {
  return randomBytes(8).toString('hex');
}

/** The ids in the header `isthmus-via`, the nearest gateway's last. */
export function viaIn(header: string | undefined): string[] {
  const words = (header ?? '').split(',').map((word) => word.trim());
  return words.filter((word) => /^[0-9a-f]{16}$/.test(word)).slice(-LONGEST_CHAIN);
}

/**
 * Refuses a request that this gateway's own processes have sent, whichever way it came back: each would send one more.
 *
 * @param id of this gateway
 */
export function guardLoop(via: readonly string[], id: string): Failure | undefined {
  return via.includes(id) ? failure('request_loop') : undefined;
}
