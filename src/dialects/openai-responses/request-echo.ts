import type { JsonObject } from '../../spec/messages.ts';

/** What OpenAI's answer has where the request says nothing. */
const STANDARD = {
  background: false,
  frequency_penalty: 0,
  instructions: null,
  max_output_tokens: null,
  max_tool_calls: null,
  metadata: {},
  parallel_tool_calls: true,
  presence_penalty: 0,
  previous_response_id: null,
  prompt_cache_key: null,
  reasoning: { effort: null, summary: null },
  safety_identifier: null,
  service_tier: 'default',
  store: true,
  temperature: 1,
  text: { format: { type: 'text' } },
  tool_choice: 'auto',
  tools: [],
  top_logprobs: 0,
  top_p: 1,
  truncation: 'disabled',
  user: null,
} as const satisfies JsonObject;

/**
 * The fields of the request that each answer repeats, as far as they are acted on.
 *
 * @param parameters of the model's request
 */
export function requestEcho(body: JsonObject, parameters: JsonObject): JsonObject {
  const said = Object.fromEntries(
    Object.entries(STANDARD).map(([field, standard]) => [field, body[field] ?? standard]),
  ) as JsonObject;
  return {
    ...said,
    service_tier: STANDARD.service_tier,
    truncation: STANDARD.truncation,
    temperature: parameters.temperature ?? STANDARD.temperature,
    top_p: parameters.top_p ?? STANDARD.top_p,
    reasoning: { ...STANDARD.reasoning, ...(said.reasoning as JsonObject) },
    text: { ...STANDARD.text, ...(said.text as JsonObject) },
    tools: (said.tools as JsonObject[]).map((tool) =>
      tool.type === 'function' ? { description: null, parameters: null, strict: null, ...tool } : tool,
    ),
  };
}
