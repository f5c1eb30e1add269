import type { Row } from '../contract.ts';
import { SHARED_FIELDS } from '../openai/shared-fields.ts';

/**
 * Top-level fields of a request for a response. The decoder acts on this table; `docs/openai.md` and `GET /v1/capabilities` show
 * it. A field that is not listed is ignored, and declared.
 */
export const RESPONSES_FIELDS = {
  model: SHARED_FIELDS.model,
  input: { handling: 'honoured', note: 'A string, or a list: see the table of items.' },
  instructions: { handling: 'honoured', note: 'The beginning of the system prompt.' },
  previous_response_id: {
    handling: 'honoured',
    note: 'The input and output of that answer come before this input; its `instructions` do not. Answers are kept for an hour after they were last asked for, within 32 MB, unless `store` is false; one that is gone is a 400.',
  },
  store: { handling: 'honoured', note: 'False: nothing of the answer is kept.' },
  tools: {
    handling: 'honoured',
    note: 'Functions, custom tools and namespaces of them. Tools that OpenAI runs itself, and `tool_search`, are left out, and declared. A tool with `defer_loading` is there at once.',
  },
  tool_choice: SHARED_FIELDS.tool_choice,
  parallel_tool_calls: SHARED_FIELDS.parallel_tool_calls,
  stream: SHARED_FIELDS.stream,
  stream_options: { handling: 'replaced', note: 'It asks for nothing that is here.' },
  max_output_tokens: {
    handling: 'honoured',
    note: 'Absent: 64,000 tokens, 32,000 for models before Claude 4.5.',
  },
  reasoning: {
    handling: 'honoured',
    note: '`effort` as `output_config.effort`, or as a budget of thinking for models up to Claude 4.5; without it the model thinks as much as it finds right. What it thinks is told in summary.',
  },
  temperature: SHARED_FIELDS.temperature,
  top_p: SHARED_FIELDS.top_p,
  text: {
    handling: 'honoured',
    note: '`format`: `json_schema` as structured output; `json_object` is ignored, and `verbosity`.',
  },
  include: {
    handling: 'honoured',
    note: '`reasoning.encrypted_content` is always there. Other values are ignored, and declared.',
  },
  user: SHARED_FIELDS.user,
  metadata: { handling: 'replaced', note: 'The answer repeats it.' },
  client_metadata: { handling: 'replaced', note: 'It is for OpenAI.' },
  prompt_cache_key: SHARED_FIELDS.prompt_cache_key,
  prompt_cache_retention: SHARED_FIELDS.prompt_cache_retention,
  prompt_cache_options: SHARED_FIELDS.prompt_cache_options,
  safety_identifier: SHARED_FIELDS.safety_identifier,
  background: {
    handling: 'refused',
    unless: [false],
    note: 'an answer is made while its client waits; leave it out',
  },
  conversation: {
    handling: 'refused',
    note: 'conversations stored at OpenAI are not there; send the whole input, or `previous_response_id`',
  },
  prompt: { handling: 'refused', note: 'templates stored at OpenAI are not there; send `instructions` and `input`' },
  truncation: { handling: 'ignored', unless: ['disabled'], note: 'A request that is too long is an error.' },
  service_tier: SHARED_FIELDS.service_tier,
  top_logprobs: SHARED_FIELDS.top_logprobs,
  presence_penalty: SHARED_FIELDS.presence_penalty,
  frequency_penalty: SHARED_FIELDS.frequency_penalty,
  max_tool_calls: { handling: 'ignored', note: 'It counts calls of tools that OpenAI runs.' },
  context_management: { handling: 'ignored', note: 'The client has the conversation.' },
} as const satisfies Record<string, Row>;

/** What an item of the input can be. */
export const RESPONSES_ITEMS = {
  '`message` of `system`, `developer` at the beginning': {
    handling: 'honoured',
    note: 'The system prompt behind `instructions`, joined by blank lines.',
  },
  '`message` of `system`, `developer` later': {
    handling: 'converted',
    note: 'In its place, as a reminder in a user message.',
  },
  '`message` of `user`': {
    handling: 'honoured',
    note: 'Text, images by URL or data URL, PDF and text files by data URL or URL. A `name` in any message is ignored, and declared.',
  },
  '`message` of `assistant`': {
    handling: 'honoured',
    note: 'Text and refusals. Where it is the last item and the model would refuse that, a reminder to go on follows, and it is declared as converted.',
  },
  '`function_call`, `custom_tool_call`': { handling: 'honoured', note: 'With or without a namespace.' },
  '`function_call_output`, `custom_tool_call_output`': {
    handling: 'honoured',
    note: 'Text, images and files. Results come in the order of the calls, before other words of the user; one that was moved for that is declared as converted.',
  },
  '`reasoning`': {
    handling: 'honoured',
    note: 'With the `encrypted_content` that this gateway made for this model. Any other is ignored, and declared: a conversation that began elsewhere goes on. So is thinking that nothing followed, since its answer broke off; `--strict` takes that.',
  },
  '`additional_tools`': {
    handling: 'honoured',
    note: 'As further `tools`. A tool that is declared again as it is counts once.',
  },
  '`item_reference`': {
    handling: 'honoured',
    note: 'To an item of an answer that is kept, as under `previous_response_id`; an item of an `id` alone is one, too.',
  },
  '`tool_search_call`, `tool_search_output`': {
    handling: 'converted',
    note: 'A call of a tool `tool_search`, and the names of what it found as a text.',
  },
  'calls and results of tools that OpenAI runs, `compaction`': {
    handling: 'ignored',
    note: 'Left out, with outputs of functions that belong to them.',
  },
  'arguments that are no JSON object': {
    handling: 'converted',
    note: 'The input of the call is `{"arguments": "…"}`, so that a call that was cut does not end the conversation.',
  },
  'any other item': { handling: 'refused', note: 'The 400 names its type.' },
} as const satisfies Record<string, Row>;

/** For `GET /v1/capabilities`. */
export const RESPONSES_CONTRACT = { body: RESPONSES_FIELDS, items: RESPONSES_ITEMS };
