import type { Row } from '../contract.ts';
import { SHARED_FIELDS } from '../openai/shared-fields.ts';

/**
 * Top-level fields of a chat completion's body. The decoder acts on this table; `docs/openai.md` and `GET /v1/capabilities` show
 * it. A field that is not listed is ignored, and declared.
 */
export const CHAT_FIELDS = {
  model: SHARED_FIELDS.model,
  messages: { handling: 'honoured', note: 'See the table of messages.' },
  tools: {
    handling: 'honoured',
    note: 'Functions and custom tools. Tools that OpenAI runs itself are left out, and declared.',
  },
  tool_choice: SHARED_FIELDS.tool_choice,
  parallel_tool_calls: SHARED_FIELDS.parallel_tool_calls,
  stream: SHARED_FIELDS.stream,
  stream_options: {
    handling: 'honoured',
    note: '`include_usage`; `include_obfuscation` asks for nothing that is here.',
  },
  max_completion_tokens: {
    handling: 'honoured',
    note: 'Before `max_tokens`. With neither: 64,000 tokens, 32,000 for models before Claude 4.5.',
  },
  max_tokens: { handling: 'honoured', note: 'As it is.' },
  reasoning_effort: {
    handling: 'honoured',
    note: 'As `output_config.effort`, or as a budget of thinking for models up to Claude 4.5.',
  },
  temperature: SHARED_FIELDS.temperature,
  top_p: SHARED_FIELDS.top_p,
  stop: { handling: 'honoured', note: 'A string or a list; blank ones are ignored.' },
  response_format: {
    handling: 'honoured',
    note: '`json_schema` as structured output; `json_object` is ignored.',
  },
  user: SHARED_FIELDS.user,
  store: { handling: 'ignored', unless: [false], note: 'Nothing is stored.' },
  metadata: { handling: 'replaced', note: 'It belongs to what is stored.' },
  prompt_cache_key: SHARED_FIELDS.prompt_cache_key,
  prompt_cache_retention: SHARED_FIELDS.prompt_cache_retention,
  prompt_cache_options: SHARED_FIELDS.prompt_cache_options,
  safety_identifier: SHARED_FIELDS.safety_identifier,
  n: { handling: 'refused', unless: [1], note: 'the model gives one answer; send the request again for another' },
  functions: { handling: 'refused', note: 'is the old form; use `tools`' },
  function_call: { handling: 'refused', note: 'is the old form; use `tool_choice`' },
  modalities: { handling: 'refused', unless: [['text']], note: 'the model answers with text alone; leave it out' },
  audio: { handling: 'refused', note: 'the model answers with text alone; leave it out' },
  service_tier: SHARED_FIELDS.service_tier,
  seed: { handling: 'ignored', note: 'The model has none.' },
  logprobs: { handling: 'ignored', unless: [false], note: 'The model tells none.' },
  top_logprobs: SHARED_FIELDS.top_logprobs,
  logit_bias: { handling: 'ignored', unless: [{}], note: 'The model takes none.' },
  presence_penalty: SHARED_FIELDS.presence_penalty,
  frequency_penalty: SHARED_FIELDS.frequency_penalty,
  prediction: { handling: 'ignored', note: 'The model takes none.' },
  verbosity: { handling: 'ignored', note: 'Say it in the system prompt.' },
  web_search_options: { handling: 'ignored', note: 'Declare a tool that the client runs instead.' },
} as const satisfies Record<string, Row>;

/** What a message of a chat completion can be. */
export const CHAT_MESSAGES = {
  '`system`, `developer` at the beginning': { handling: 'honoured', note: 'The system prompt, joined by blank lines.' },
  '`system`, `developer` later': {
    handling: 'converted',
    note: 'In its place, as a reminder in a user message.',
  },
  '`user`': { handling: 'honoured', note: 'Text, images by URL or data URL, PDF and text files by data URL or URL.' },
  '`assistant`': {
    handling: 'honoured',
    note: 'Text, refusals and calls. `reasoning_details` with a signature are thinking; `reasoning_content` is dropped. Words of it at the end go on as they are: models from Claude 4.6 on refuse them.',
  },
  '`tool`': {
    handling: 'honoured',
    note: 'Text and images. Results come in the order of the calls, before other words of the user; one that was moved for that is declared as converted.',
  },
  '`function`': { handling: 'refused', note: 'is the old form; use `tool` messages' },
  '`name`': {
    handling: 'ignored',
    note: 'The model takes none. That of a `tool` message repeats the call’s, and is not declared.',
  },
  'arguments that are no JSON object': {
    handling: 'converted',
    note: 'The input of the call is `{"arguments": "…"}`, so that a call that was cut does not end the conversation.',
  },
} as const satisfies Record<string, Row>;

/** For `GET /v1/capabilities`. */
export const CHAT_CONTRACT = { body: CHAT_FIELDS, messages: CHAT_MESSAGES };
