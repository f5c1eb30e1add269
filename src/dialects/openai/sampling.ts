import { badRequest } from '../../spec/failures.ts';
import type { JsonObject } from '../../spec/messages.ts';
import { refusesSampling, takesOneOfBothSamplings } from '../../spec/model-generation.ts';

export interface SamplingRequest {
  model: string;
  temperature: unknown;
  top_p: unknown;
  /** Whether the model is to think; it then takes no other sampling than its own. */
  isThinking: boolean;
}

/** The sampling of a turn, and what the model does not get. */
export interface Sampling {
  parameters: JsonObject;
  ignored: string[];
  converted: string[];
}

/** OpenAI's temperature goes to 2, that of the model's API to 1. What is the standard is not sent. */
export function samplingFor({ model, temperature, top_p, isThinking }: SamplingRequest): Sampling {
  const heat = within(temperature, 'temperature', 2);
  const share = within(top_p, 'top_p', 1);
  const asks = { temperature: heat !== undefined && heat !== 1, top_p: share !== undefined && share !== 1 };
  if (refusesSampling(model) || isThinking) {
    const ignored = Object.entries(asks).flatMap(([field, isAsked]) => (isAsked ? [field] : []));
    return { parameters: {}, ignored, converted: [] };
  }
  const parameters: JsonObject = {};
  const ignored: string[] = [];
  const converted: string[] = [];
  if (asks.temperature && heat !== undefined) {
    parameters.temperature = Math.min(heat, 1);
    if (heat > 1) converted.push('temperature');
  }
  if (asks.top_p) {
    if (asks.temperature && takesOneOfBothSamplings(model)) ignored.push('top_p');
    else parameters.top_p = share;
  }
  return { parameters, ignored, converted };
}

function within(value: unknown, path: string, most: number): number | undefined {
  if (value == null) return undefined;
  if (typeof value !== 'number' || !(value >= 0 && value <= most))
    throw badRequest(path, `must be a number from 0 to ${most}`);
  return value;
}
