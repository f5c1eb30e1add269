import type { JsonObject } from '../../spec/messages.ts';
import { standardMaxTokens, thinksByBudget } from '../../spec/model-generation.ts';
import { leavingOutLostThinking } from './lost-thinking.ts';
import { samplingFor } from './sampling.ts';
import { heldSchema } from './structured-output.ts';
import { type Effort, thinkingFor } from './thinking.ts';

/** What a client of OpenAI asks of the model beside its conversation. */
export interface AskedParameters {
  model: string;
  maxTokens: number | null | undefined;
  /** Absent where the client says nothing of thinking. */
  thinking: { effort: Effort | undefined; path: string } | undefined;
  /** Whether the choice of tools forces a call. */
  isForced: boolean;
  temperature: unknown;
  top_p: unknown;
  /** A schema for the answer; `isAnyJson` where the client asks for JSON alone. */
  format: { schema: JsonObject; path: string } | { isAnyJson: true; path: string } | undefined;
  /** Whether a value of `anthropic-beta` reaches the provider of the model. */
  passesBeta(value: string): boolean;
}

/** The fields of the model's request, in the words of the Messages API, and the betas that they need. */
export function turnParameters(
  { model, maxTokens, thinking: asked, isForced, temperature, top_p, format, passesBeta }: AskedParameters,
  { ignored, converted }: { ignored: string[]; converted: string[] },
): { parameters: JsonObject; betas: string[] } {
  const most = maxTokens ?? standardMaxTokens(model);
  const thinking = asked && thinkingFor(model, asked.effort, most);
  const { output_config: effort, ...thought }: JsonObject = thinking?.parameters ?? {};
  if (asked && thinking?.isConverted) converted.push(asked.path);
  // A budget of thinking and a forced call exclude each other.
  if (asked && isForced && thinksByBudget(model) && isOn(thought)) {
    ignored.push(asked.path);
    delete thought.thinking;
  }
  const sampling = samplingFor({ model, temperature, top_p, isThinking: isOn(thought) });
  ignored.push(...sampling.ignored);
  converted.push(...sampling.converted);
  const output = { ...(effort as JsonObject | undefined), ...heldFormat(format, ignored, converted) };
  const parameters = {
    max_tokens: most,
    ...thought,
    ...sampling.parameters,
    ...(Object.keys(output).length > 0 && { output_config: output }),
  };
  return leavingOutLostThinking(model, parameters, passesBeta);
}

function isOn({ thinking }: JsonObject): boolean {
  return thinking !== undefined && (thinking as JsonObject).type !== 'disabled';
}

function heldFormat(format: AskedParameters['format'], ignored: string[], converted: string[]): JsonObject {
  if (format === undefined) return {};
  if ('isAnyJson' in format) {
    ignored.push(format.path);
    return {};
  }
  const { schema, isConverted } = heldSchema(format.schema, format.path);
  if (isConverted) converted.push(format.path);
  return { format: { type: 'json_schema', schema } };
}
