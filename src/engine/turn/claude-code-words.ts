/**
 * What Claude Code puts around the API's words in its message about a failed call. A contract test over the real binary holds
 * each form. Nothing is decided by these words: they are cut, since they name the operator's upstream and give advice to a user
 * of Claude Code.
 */
const BEFORE = [
  'Failed to authenticate. API Error: ',
  'API Error: Request rejected (429) · ',
  'API Error: Server is temporarily limiting requests (not your usage limit) · ',
  'API Error: ',
];
const BEHIND = '. This is a server-side issue, usually temporary — try again in a moment.';
/** Begins the last sentence of each form that names the upstream. */
const NAMES_UPSTREAM = 'If it persists, check ';

/**
 * The API's own words in Claude Code's message, less a full stop at their end.
 *
 * @param status that the API answered with
 * @returns undefined when there are none, or they cannot be told from Claude Code's
 */
export function apiWordsIn(text: string, status: number | undefined): string | undefined {
  const prefix = BEFORE.find((candidate) => text.startsWith(candidate)) ?? '';
  const [words = ''] = text.slice(prefix.length).split(BEHIND, 1);
  if (words.includes(NAMES_UPSTREAM)) return undefined;
  return withoutStatus(words, status) || undefined;
}

/** Of an answer without a body. */
const NO_BODY = 'status code (no body)';

function withoutStatus(words: string, status: number | undefined): string {
  if (status === undefined) return words;
  const rest = words.replace(new RegExp(`^${status}(?: |$)`), '');
  return rest === NO_BODY ? '' : rest;
}
