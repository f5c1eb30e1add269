import { expect, test } from 'vitest';
import { apiWordsIn } from './claude-code-words.ts';

/** That Claude Code writes so is held by `test/real/sdk-facts`. */

const ADVICE = ' This is a server-side issue, usually temporary — try again in a moment.';
const UPSTREAM = ' If it persists, check your inference gateway (models.corp.test:8443).';

test.each<[string, number | undefined, string | undefined]>([
  ['API Error: 400 messages: bad', 400, 'messages: bad'],
  ['API Error: messages: bad', undefined, 'messages: bad'],
  ['API Error: Overloaded', 529, 'Overloaded'],
  ['Failed to authenticate. API Error: 403 not yours', 403, 'not yours'],
  ['Credit balance is too low', 400, 'Credit balance is too low'],
  ['API Error: Request rejected (429) · slow down', 429, 'slow down'],
  ['API Error: Server is temporarily limiting requests (not your usage limit) · slow down', 429, 'slow down'],
  [`API Error: 500 oops.${ADVICE}${UPSTREAM}`, 500, 'oops'],
  [
    `API Error: 500 it has 500 of them.${ADVICE} If it persists, check https://status.claude.com.`,
    500,
    'it has 500 of them',
  ],
  [`API Error: 502 Two sentences. Or three.${ADVICE}${UPSTREAM}`, 502, 'Two sentences. Or three'],
  [
    `API Error: 500 told by a gateway.${ADVICE} If it persists, check (inner).${ADVICE}${UPSTREAM}`,
    500,
    'told by a gateway',
  ],
])('the API’s words are found in %j', (text, status, words) => {
  expect(apiWordsIn(text, status)).toBe(words);
});

test.each<[string, number]>([
  [`API Error: 529.${ADVICE}${UPSTREAM}`, 529],
  [`API Error: 500 status code (no body).${ADVICE}${UPSTREAM}`, 500],
  ['API Error: 400 status code (no body)', 400],
  [
    `API Error: Repeated 529 Overloaded errors. The API is at capacity — this is usually temporary. Try again in a moment.${UPSTREAM}`,
    529,
  ],
  [`API Error: Request rejected (429) · this may be a temporary capacity issue.${UPSTREAM}`, 429],
  [`API Error: in words of tomorrow.${UPSTREAM}`, 500],
])('there are none in %j', (text, status) => {
  expect(apiWordsIn(text, status)).toBeUndefined();
});
