// @ts-check

/**
 * The value below which a share of the samples lies, interpolated between neighbours.
 *
 * @param {readonly number[]} samples at least one
 * @param {number} share between 0 and 1
 */
export function quantile(samples, share) {
  const sorted = [...samples].sort((a, b) => a - b);
  const position = (sorted.length - 1) * share;
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}

/** @param {readonly number[]} samples */
export function median(samples) {
  return quantile(samples, 0.5);
}

/**
 * How steady the ratio of the medians is within one run: its least and greatest value over the thirds of the samples, in
 * the order in which they were taken.
 *
 * @param {readonly number[]} gateway
 * @param {readonly number[]} bare
 * @returns {{ least: number; greatest: number } | undefined} undefined when there are too few samples to tell
 */
export function ratioRange(gateway, bare) {
  const pairs = Math.min(gateway.length, bare.length);
  const third = Math.floor(pairs / 3);
  if (third < 2) return undefined;
  const ratios = [0, 1, 2].map((index) => {
    const part = [index * third, index === 2 ? pairs : (index + 1) * third];
    return median(gateway.slice(...part)) / median(bare.slice(...part));
  });
  return { least: Math.min(...ratios), greatest: Math.max(...ratios) };
}
