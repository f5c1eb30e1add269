import type { MessagesRequest } from '../../spec/messages.ts';
import { BETAS, LONG_CONTEXT, OWN_BETAS, WITHHELD_BETAS } from './contract-table.ts';

const EFFORT: keyof typeof OWN_BETAS = 'effort-2025-11-24';
const BETAS_BESIDE_EFFORT = { ...BETAS, [EFFORT]: OWN_BETAS[EFFORT] };

/** One value of the header: a list in it would bring others past the tables. */
const ONE_VALUE = /^[\w.-]{1,128}$/;

export interface BetaOptions {
  /** Whether the request has an effort of its own. */
  hasEffort: boolean;
  /** Whether a value reaches the provider of the model. */
  passesBeta: (value: string) => boolean;
}

/**
 * The values of `anthropic-beta` that go with the model's request, sorted.
 *
 * @param declared gets the paths of those that do not pass, and of those that nobody knows and that pass
 */
export function decodeBetas(
  values: readonly string[],
  { hasEffort, passesBeta }: BetaOptions,
  declared: Pick<MessagesRequest, 'ignored' | 'unknown'>,
): string[] {
  const known = hasEffort ? BETAS_BESIDE_EFFORT : BETAS;
  const passed = new Set<string>();
  for (const value of values) {
    const isKnown = Object.hasOwn(known, value);
    if (value === LONG_CONTEXT.beta || (!isKnown && Object.hasOwn(OWN_BETAS, value))) continue;
    const path = `anthropic-beta:${value}`;
    if (!passesBeta(value) || (!isKnown && isWithheld(value))) declared.ignored.push(path);
    else {
      passed.add(value);
      if (!isKnown) declared.unknown.push(path);
    }
  }
  return [...passed].sort();
}

function isWithheld(value: string): boolean {
  return !ONE_VALUE.test(value) || Object.keys(WITHHELD_BETAS).some((beginning) => value.startsWith(beginning));
}

/** The model's name for Claude Code, which takes the long context from its suffix alone. */
export function withLongContext(model: string, betas: readonly string[]): string {
  const { beta, suffix } = LONG_CONTEXT;
  return betas.includes(beta) && !model.toLowerCase().endsWith(suffix) ? model + suffix : model;
}
