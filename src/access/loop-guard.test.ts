import { expect, test } from 'vitest';
import { guardLoop, newGatewayId, viaIn } from './loop-guard.ts';

test('a request that came through this gateway is refused, one through others is not', () => {
  const [own, other] = [newGatewayId(), newGatewayId()];
  for (const header of [own, `${own}, ${other}`, `${other},${own}`])
    expect(guardLoop(viaIn(header), own)?.code).toBe('request_loop');
  for (const header of [undefined, '', other, own.slice(1), `x${own}`])
    expect(guardLoop(viaIn(header), own)).toBeUndefined();
});

test('what is no id is left out, and a chain is bounded from its far end', () => {
  const ids = Array.from({ length: 20 }, newGatewayId);
  expect(viaIn(['x', ...ids, 'a b'].join(', '))).toEqual(ids.slice(4));
});
