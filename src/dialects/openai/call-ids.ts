import { hash } from 'node:crypto';

/** What the model's API calls its calls; OpenAI's clients expect another beginning, and some rewrite ids without it. */
const OF_THE_MODEL = 'toolu_';
const OF_OPENAI = 'call_';
/** What the model's API takes as an id. */
const TAKEN = /^[a-zA-Z0-9_-]+$/;

/** The id of a call as an OpenAI client gets it: `toolu_01A` as `call_toolu_01A`. */
export function clientCallId(id: string): string {
  return id.startsWith(OF_THE_MODEL) ? OF_OPENAI + id : id;
}

/** The same backwards. An id of somebody else's that the model's API would refuse gets a stable one in its place. */
export function modelCallId(id: string): string {
  if (!TAKEN.test(id)) return `${OF_OPENAI}${hash('sha256', id, 'hex').slice(0, 32)}`;
  return id.startsWith(OF_OPENAI + OF_THE_MODEL) ? id.slice(OF_OPENAI.length) : id;
}
