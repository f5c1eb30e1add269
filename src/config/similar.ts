import { closest, distance } from 'fastest-levenshtein';

/** The letters that a misspelt word may have wrong: a third of them, but two in a short one. */
const most = (word: string) => Math.max(2, Math.floor(word.length / 3));

/** The candidate that a misspelt word stands for; undefined if none is near. */
export function similar(word: string, candidates: readonly string[]): string | undefined {
  const found = closest(word, candidates);
  const wrong = distance(word, found);
  return wrong <= most(word) && wrong < word.length ? found : undefined;
}
