/** What the name of a model tells of what its API takes. */
export interface ModelGeneration {
  /** `opus`, `sonnet`, …; undefined for a name that tells nothing. */
  line: string | undefined;
  /** Such as 4.5; that of the newest for a name that tells nothing, such as an alias. */
  version: number;
}

/** `claude-sonnet-4-5-20250929`, `us.anthropic.claude-opus-4-6-v1:0`, `claude-fable-5-1[1m]`. */
const NAME = /claude-(opus|sonnet|haiku|fable|mythos)-(\d)(?:-(\d{1,2})(?!\d))?/;
/** `claude-3-7-sonnet-20250219`. */
const OLD_NAME = /claude-(\d)(?:-(\d))?-(opus|sonnet|haiku)/;
const ALIAS = /^(opus|sonnet|haiku|fable|mythos|opusplan|best|default)(?:\[1m\])?$/;
/** What Claude Code takes, where it is no plan that is asked for. */
const LINES: Readonly<Record<string, string>> = { opusplan: 'sonnet', best: 'opus', default: 'opus' };
const NEWEST = 99;

/** @param model its exact id, if that is known: an alias tells no version */
export function generationOf(model: string): ModelGeneration {
  const [, line, major, minor = '0'] = NAME.exec(model) ?? [];
  if (line !== undefined) return { line, version: Number(`${major}.${minor}`) };
  const [, oldMajor, oldMinor = '0', oldLine] = OLD_NAME.exec(model) ?? [];
  if (oldLine !== undefined) return { line: oldLine, version: Number(`${oldMajor}.${oldMinor}`) };
  const alias = ALIAS.exec(model)?.[1];
  return { line: alias && (LINES[alias] ?? alias), version: NEWEST };
}

/** Whether thinking has a budget of tokens; newer models decide by themselves how much they think. */
export function thinksByBudget(model: string): boolean {
  return generationOf(model).version < 4.6;
}

/** Whether the model's API refuses `temperature` and `top_p`. */
export function refusesSampling(model: string): boolean {
  const { line, version } = generationOf(model);
  switch (line) {
    case 'opus':
      return version >= 4.7;
    case 'sonnet':
      return version >= 5;
    case 'haiku':
      return version >= 5.5;
    case 'fable':
    case 'mythos':
      return true;
    default:
      return false;
  }
}

/** Whether the model's API takes `temperature` or `top_p`, and refuses both together. */
export function takesOneOfBothSamplings(model: string): boolean {
  return generationOf(model).version >= 4.1;
}

/** Whether the model's API refuses a choice of tools that forces a call. */
export function refusesForcedCalls(model: string): boolean {
  const { line, version } = generationOf(model);
  if (line === 'fable' || line === 'mythos') return version >= 5.1;
  return (line === 'opus' || line === 'sonnet') && version >= 5.5;
}

/** Whether the model's API refuses a request that ends with words of the assistant. */
export function refusesLastWords(model: string): boolean {
  return generationOf(model).version >= 4.6;
}

/** Whether the model's API holds each thinking block against all that stood before it when the model thought it. */
export function bindsThinking(model: string): boolean {
  const { line, version } = generationOf(model);
  return line !== undefined && version >= 5.1;
}

/** The tokens that an answer may have where the client gives no limit. */
export function standardMaxTokens(model: string): number {
  return generationOf(model).version >= 4.5 ? 64_000 : 32_000;
}
