import type { AnswerMessage, JsonObject } from '../../spec/messages.ts';

/** The words of a refusal; undefined where the model does not refuse, or does not say why. */
export function refusalOf({ stop_reason, stop_details }: AnswerMessage): string | undefined {
  if (stop_reason !== 'refusal') return undefined;
  const explanation = (stop_details as JsonObject | null | undefined)?.explanation;
  return typeof explanation === 'string' ? explanation : undefined;
}
