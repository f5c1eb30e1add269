/** What a request calls an agent by: a header, a model's id, a part of a path. */
const NAME = /^[a-z][a-z0-9-]{0,63}$/;

/** Words of the paths that stand beside agents' names. */
const RESERVED: ReadonlySet<string> = new Set([
  'agents',
  'api',
  'health',
  'inflight',
  'livez',
  'messages',
  'models',
  'readyz',
  'turns',
  'v1',
]);

/** What models are called, by Anthropic and by others whose names clients send out of habit. */
const MODEL_FAMILIES = ['sonnet', 'opus', 'haiku', 'fable', 'mythos'];
const MODEL_BEGINNING = /^(claude|anthropic|gpt|chatgpt|o\d|gemini|llama|mistral|deepseek|qwen|grok)/;
const MODEL_END = /-(latest|20\d{6}|20\d{2}-\d{2}(-\d{2})?)$/;
const MODEL_ALIASES: ReadonlySet<string> = new Set(['default', 'best', 'auto', 'inherit']);

/** Why an agent cannot have a name, as the end of a sentence that begins with the name; undefined if it can. */
export function nameProblem(name: string): string | undefined {
  if (!NAME.test(name)) {
    return 'is no name of an agent: write up to 64 small letters, digits and hyphens, a letter first, such as docs';
  }
  if (RESERVED.has(name)) return 'is a part of other paths; give the agent another name';
  const looksLikeModel =
    MODEL_ALIASES.has(name) ||
    MODEL_BEGINNING.test(name) ||
    MODEL_END.test(name) ||
    MODEL_FAMILIES.some((family) => name.includes(family));
  return looksLikeModel ? LIKE_A_MODEL : undefined;
}

/** For a name that a model has, or may get. */
export const LIKE_A_MODEL =
  'looks like a model, so that a request for that model would run the agent; give the agent another name';
