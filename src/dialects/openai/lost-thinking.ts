import type { JsonObject } from '../../spec/messages.ts';
import { bindsThinking } from '../../spec/model-generation.ts';

/** Without it the API refuses the field. */
const BETA = 'thinking-binding-controls-2026-08-01';

/**
 * Has the model's API leave thinking out that no longer fits the messages before it, where it would refuse the request: clients of
 * OpenAI's APIs shorten and rewrite what was said, and know of no such rule. Each request asks for it, since a process keeps its
 * betas. Models that have the rule think without being asked, so that saying so changes nothing.
 *
 * @param parameters of the model's request
 * @param passesBeta whether a value of `anthropic-beta` reaches the provider of the model
 */
export function leavingOutLostThinking(
  model: string,
  parameters: JsonObject,
  passesBeta: (value: string) => boolean,
): { parameters: JsonObject; betas: string[] } {
  if (!bindsThinking(model) || !passesBeta(BETA)) return { parameters, betas: [] };
  const { thinking = { type: 'adaptive' }, ...others } = parameters as { thinking?: JsonObject };
  const { type } = thinking;
  // Others have no such field; the API then refuses what it would refuse.
  const isOn = type === 'adaptive' || type === 'enabled';
  const forgiving = isOn ? { ...thinking, block_binding: { prefix_mismatch_behavior: 'drop_block' } } : thinking;
  return { parameters: { ...others, thinking: forgiving }, betas: [BETA] };
}
