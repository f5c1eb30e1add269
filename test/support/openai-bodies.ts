import { encryptedThinking } from '../../src/dialects/openai-responses/reasoning-items.ts';
import type { JsonObject } from '../../src/spec/messages.ts';

/** Valid bodies for OpenAI's two APIs: one with everything that a request can hold, and those that real clients send. */

const MODEL = 'claude-sonnet-4-6';
/** Stands in all that a conversation says, and may be in no error and in no line of the log. */
export const SECRET = 'SECRET-OF-THE-USER';

const schema = {
  type: 'object',
  properties: { a: { type: 'string', minLength: 1 }, b: { anyOf: [{ type: 'null' }, { $ref: '#/$defs/c' }] } },
  $defs: { c: { type: 'array', items: { enum: [1, 2] } } },
  required: ['a', 'b'],
};
const THOUGHT = { type: 'thinking', thinking: SECRET, signature: 's' };
const IMAGE = 'data:image/png;base64,QUJD';
const TEXT_FILE = 'data:text/plain;base64,QUJD';

const WHOLE_CHAT: JsonObject = {
  model: MODEL,
  stream_options: { include_usage: true },
  max_tokens: 100,
  max_completion_tokens: 100,
  reasoning_effort: 'low',
  temperature: 0.5,
  top_p: 0.5,
  n: 1,
  stop: ['END'],
  store: false,
  parallel_tool_calls: false,
  tool_choice: { type: 'function', function: { name: 'read' } },
  response_format: { type: 'json_schema', json_schema: { name: 'n', schema, strict: true } },
  user: 'u',
  metadata: { a: 'b' },
  logit_bias: { 1: 1 },
  tools: [
    { type: 'function', function: { name: 'read', description: 'd', parameters: schema, strict: true } },
    {
      type: 'custom',
      custom: { name: 'patch', format: { type: 'grammar', grammar: { syntax: 'lark', definition: 'x' } } },
    },
    { type: 'function', name: 'flat', parameters: schema },
    { name: 'plain', input_schema: schema },
    { type: 'web_search' },
  ],
  messages: [
    { role: 'system', content: SECRET },
    { role: 'developer', content: [{ type: 'text', text: SECRET }], name: 'x' },
    {
      role: 'user',
      content: [
        { type: 'text', text: SECRET, cache_control: { type: 'ephemeral' } },
        { type: 'image_url', image_url: { url: IMAGE, detail: 'high' } },
        { type: 'file', file: { filename: 'f', file_data: TEXT_FILE } },
      ],
    },
    {
      role: 'assistant',
      content: null,
      refusal: null,
      reasoning_content: SECRET,
      reasoning_details: [
        { type: 'reasoning.text', text: SECRET, signature: 's', format: 'anthropic-claude-v1', index: 0 },
      ],
      tool_calls: [
        { id: 'call_1', type: 'function', function: { name: 'read', arguments: '{"a":1}', parsed_arguments: null } },
        { id: 'call_2', type: 'custom', custom: { name: 'patch', input: SECRET } },
      ],
    },
    { role: 'tool', tool_call_id: 'call_2', content: SECRET },
    { role: 'tool', tool_call_id: 'call_1', content: [{ type: 'text', text: SECRET }] },
    {
      role: 'assistant',
      content: [
        { type: 'text', text: SECRET },
        { type: 'refusal', refusal: 'no' },
      ],
    },
    { role: 'user', content: SECRET },
  ],
};

const WHOLE_RESPONSE: JsonObject = {
  model: MODEL,
  instructions: SECRET,
  store: true,
  include: ['reasoning.encrypted_content'],
  reasoning: { effort: 'low', summary: 'auto' },
  text: { format: { type: 'json_schema', name: 'n', schema }, verbosity: 'low' },
  temperature: 0.5,
  top_p: 0.5,
  max_output_tokens: 100,
  parallel_tool_calls: false,
  truncation: 'auto',
  user: 'u',
  tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'read' }] },
  metadata: { a: 'b' },
  tools: [
    { type: 'function', name: 'read', description: 'd', parameters: schema, strict: true },
    { type: 'custom', name: 'patch', format: { type: 'grammar', syntax: 'lark', definition: 'x' } },
    { type: 'namespace', name: 'n', description: 'd', tools: [{ type: 'function', name: 'read' }] },
    { name: 'plain', input_schema: schema },
    { type: 'web_search' },
  ],
  input: [
    { type: 'additional_tools', role: 'developer', tools: [{ type: 'custom', name: 'exec' }] },
    { role: 'developer', content: SECRET },
    {
      role: 'user',
      content: [
        { type: 'input_text', text: SECRET },
        { type: 'input_image', image_url: IMAGE, detail: 'high' },
        { type: 'input_file', filename: 'f', file_data: TEXT_FILE },
      ],
    },
    { type: 'reasoning', summary: [], encrypted_content: encryptedThinking(MODEL, [THOUGHT]) },
    { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: SECRET }] },
    { type: 'function_call', call_id: 'call_1', namespace: 'n', name: 'read', arguments: '{"a":1}' },
    { type: 'custom_tool_call', call_id: 'call_2', name: 'patch', input: SECRET },
    { type: 'tool_search_call', call_id: 'call_3', arguments: { query: SECRET } },
    { type: 'function_call_output', call_id: 'call_1', output: [{ type: 'input_text', text: SECRET }] },
    { type: 'custom_tool_call_output', call_id: 'call_2', output: SECRET },
    { type: 'tool_search_output', call_id: 'call_3', tools: [{ name: 'x' }] },
    { type: 'web_search_call', id: 'ws_1', status: 'completed' },
    { role: 'user', content: SECRET },
  ],
};

const read = {
  name: 'read',
  description: 'd',
  parameters: { type: 'object', properties: { path: { type: 'string' } } },
};

/** As OpenCode's compatible provider sends a tool loop. */
const CHAT_LOOP: JsonObject = {
  model: MODEL,
  max_tokens: 32_000,
  stream_options: { include_usage: true },
  messages: [
    { role: 'system', content: SECRET, cache_control: { type: 'ephemeral' } },
    { role: 'user', content: SECRET },
    {
      role: 'assistant',
      content: '',
      reasoning_content: SECRET,
      tool_calls: [{ id: 'call_toolu_1', type: 'function', function: { name: 'read', arguments: '{"path":"a"}' } }],
    },
    { role: 'tool', tool_call_id: 'call_toolu_1', content: SECRET },
  ],
  tools: [{ type: 'function', function: read }],
  tool_choice: 'auto',
};

/** As Codex sends a second turn. */
const CODEX: JsonObject = {
  model: MODEL,
  store: false,
  include: ['reasoning.encrypted_content'],
  reasoning: { summary: 'auto' },
  parallel_tool_calls: true,
  prompt_cache_key: 'k',
  client_metadata: { a: 'b' },
  tool_choice: 'auto',
  tools: [
    { type: 'function', strict: false, ...read },
    { type: 'namespace', name: 'multi_agent_v1', description: 'd', tools: [{ type: 'function', ...read }] },
    { type: 'web_search', external_web_access: false },
  ],
  input: [
    { type: 'message', role: 'developer', content: [{ type: 'input_text', text: SECRET }] },
    { type: 'message', role: 'user', content: [{ type: 'input_text', text: SECRET }] },
    { type: 'message', role: 'user', content: [{ type: 'input_text', text: SECRET }] },
    {
      type: 'function_call',
      id: 'fc_1',
      call_id: 'call_toolu_1',
      name: 'read',
      arguments: '{"path":"a"}',
      status: 'completed',
    },
    { type: 'function_call_output', call_id: 'call_toolu_1', output: SECRET },
  ],
};

export const CHAT_BODIES: readonly JsonObject[] = [
  WHOLE_CHAT,
  CHAT_LOOP,
  { model: MODEL, messages: [{ role: 'user', content: SECRET }] },
];
export const RESPONSES_BODIES: readonly JsonObject[] = [
  WHOLE_RESPONSE,
  CODEX,
  { model: MODEL, input: SECRET },
  {
    model: MODEL,
    input: [
      { type: 'item_reference', id: 'rs_1' },
      { role: 'user', content: SECRET },
    ],
  },
  { model: MODEL, previous_response_id: 'resp_1', input: SECRET },
];
