import type { Row } from '../contract.ts';

/**
 * What becomes of each thing that a Messages API request can hold. The decoder acts on these tables, `GET /v1/capabilities`
 * and `docs/parameters.md` show them, and a test holds every row against the scripted model.
 */

/**
 * Top-level fields of the body. One that is not listed passes and is declared, see docs/decisions/0005: so what would replace a
 * part of the request, and what is known to change its cost or the API's state, must have a row here.
 */
export const BODY_FIELDS = {
  model: {
    handling: 'honoured',
    note: 'The exact id, or an alias that Claude Code knows (`opus`, `sonnet`, `haiku`, …); a prefix `anthropic/` is taken off.',
  },
  messages: { handling: 'honoured', note: 'Block for block; see the content table.' },
  system: { handling: 'honoured', note: 'In the system slot; several blocks arrive as one, joined by a blank line.' },
  tools: { handling: 'honoured', note: 'As declared; see the table of tools.' },
  stream: { handling: 'honoured', note: 'Absent or false: one JSON body.' },
  max_tokens: { handling: 'honoured', passed: true, note: 'As it is.' },
  thinking: {
    handling: 'honoured',
    passed: true,
    note: 'As it is, `display` too; absent means off, or the model’s own least where it cannot be off.',
  },
  temperature: { handling: 'honoured', passed: true, note: 'As it is.' },
  top_p: { handling: 'honoured', passed: true, note: 'As it is.' },
  top_k: { handling: 'honoured', passed: true, note: 'As it is.' },
  stop_sequences: { handling: 'honoured', passed: true, note: 'As it is; the answer says which one was met.' },
  tool_choice: { handling: 'honoured', passed: true, note: 'As it is, `disable_parallel_tool_use` too.' },
  output_config: { handling: 'honoured', passed: true, note: 'See the table of its fields.' },
  output_format: { handling: 'honoured', passed: true, note: 'As `output_config.format`, its newer name.' },
  safeguards: {
    handling: 'honoured',
    passed: true,
    beta: 'dangerous-tool-use-2026-09-03',
    note: 'As it is, for Claude Code’s auto mode; `dangerous-tool-use-2026-09-03`, which the API wants beside it, passes. The answer’s `safeguard_results` come as the API sends them.',
  },
  betas: { handling: 'honoured', note: 'Like the header `anthropic-beta`; see the table of betas.' },
  metadata: { handling: 'honoured', note: '`user_id` goes into the log line of the turn, nothing goes to the model.' },
  cache_control: { handling: 'replaced', note: 'Claude Code sets its own breakpoints, on every path the same.' },
  context_management: { handling: 'ignored', note: 'The client’s messages reach the model whole.' },
  diagnostics: { handling: 'ignored', note: 'It asks for Claude Code’s own breakpoints, which are not the client’s.' },
  context_hint: {
    handling: 'ignored',
    note: 'The API would ask for a shorter history; the client’s reaches it whole.',
  },
  resumption: { handling: 'ignored', note: 'The API would pause within an answer; here each answer is whole.' },
  anthropic_beta: { handling: 'ignored', note: 'The header `anthropic-beta` and the field `betas` are read.' },
  fallbacks: { handling: 'ignored', note: 'It would change which model answers.' },
  fallback_credit_token: { handling: 'ignored', note: 'It would change what the turn costs.' },
  service_tier: { handling: 'ignored', note: 'It would change what the turn costs.' },
  speed: { handling: 'ignored', note: 'It would change what the turn costs.' },
  container: {
    handling: 'refused',
    note: 'containers belong to server tools, which do not pass through Isthmus; leave it out and declare a tool that the client runs',
  },
  mcp_servers: {
    handling: 'refused',
    note: 'the API’s MCP connector does not pass through Isthmus; connect to the server from the client and declare its tools in `tools`',
  },
  inference_geo: {
    handling: 'refused',
    note: 'Isthmus cannot choose where the model runs; set it for the workspace of the credential and leave it out',
  },
  thread: {
    handling: 'refused',
    note: 'message threads are kept by the API and do not pass through Isthmus; send the whole history in `messages`',
  },
} as const satisfies Record<string, Row>;

/** Fields of `output_config`; one that is not listed passes and is declared. */
export const OUTPUT_CONFIG_FIELDS = {
  effort: { handling: 'honoured', passed: true, note: 'As it is, with `effort-2025-11-24` where a model needs it.' },
  format: { handling: 'honoured', passed: true, note: 'As it is; `structured-outputs-2025-12-15` passes.' },
  task_budget: {
    handling: 'honoured',
    passed: true,
    beta: 'task-budgets-2026-03-13',
    note: 'As it is; `task-budgets-2026-03-13`, which the API wants beside it, passes.',
  },
} as const satisfies Record<string, Row>;

/** What a tool in `tools` can be. */
export const TOOL_KINDS = {
  'client tool (no type, or `custom`)': { handling: 'honoured', note: 'Reaches the model as declared.' },
  'Anthropic-defined client tool (`bash_`, `text_editor_`, `computer_` or `memory_` with a date)': {
    handling: 'honoured',
    note: 'Reaches the model as declared; the client runs it.',
  },
  'server tool or toolset (`web_search_…`, `web_fetch_…`, `code_execution_…`, `mcp_toolset`, `computer_toolset_…`, …)':
    {
      handling: 'ignored',
      note: 'The other tools work without it; declare a tool that the client runs instead.',
    },
} as const satisfies Record<string, Row>;

/** Tools that Anthropic defines and the client runs; they have no schema of their own. */
export const ANTHROPIC_CLIENT_TOOL = /^(bash|text_editor|computer|memory)_\d{8}$/;

/** Fields of a client tool; one that is not listed is ignored. */
export const TOOL_FIELDS = {
  type: { handling: 'honoured', note: '`custom`, or none.' },
  name: { handling: 'honoured', passed: true, note: 'As it is.' },
  description: { handling: 'honoured', passed: true, note: 'As it is.' },
  input_schema: { handling: 'honoured', passed: true, note: 'As it is; its root must have `type: "object"`.' },
  strict: { handling: 'honoured', passed: true, note: 'As it is.' },
  eager_input_streaming: { handling: 'honoured', passed: true, note: 'As it is.' },
  input_examples: { handling: 'honoured', passed: true, note: 'As it is.' },
  cache_control: { handling: 'replaced', note: 'Claude Code sets its own breakpoints.' },
  defer_loading: {
    handling: 'ignored',
    unless: [false],
    note: 'The tool is there at once if a `tool_reference`, a `tool_addition`, `tool_choice` or a declared tool search can load it; else it is left out, as it is with the API. Claude Code’s `DeferredToolPlaceholder` always is.',
  },
  allowed_callers: { handling: 'ignored', unless: [['direct']], note: 'The model alone calls tools.' },
} as const satisfies Record<string, Row>;

const AS_IT_IS = { handling: 'honoured', note: 'As it is.' } as const;

/** When Claude Code leaves the order of an assistant's message as it is. */
const BETWEEN_CALLS = 'where calls alone stand between two blocks of thinking of the message';

/** What a message can hold. A row with the name of a kind of block says what becomes of such a block. */
export const CONTENT = {
  text: { handling: 'honoured', note: 'Not empty, not blank.' },
  image: { handling: 'honoured', note: 'base64, URL or file; 100 images and documents a request at most.' },
  document: { handling: 'honoured', note: 'PDF, text, content, URL or file, with title, context and citations flag.' },
  search_result: { handling: 'honoured', note: 'In messages and in tool results.' },
  tool_use: { handling: 'honoured', note: 'Its id, name and input, key for key; calls keep their order.' },
  tool_result: {
    handling: 'honoured',
    note: 'Text, images, documents, search results, errors, empty; no image in an error result.',
  },
  thinking: {
    handling: 'honoured',
    note: `Byte for byte with its signature. Behind a call it stays ${BETWEEN_CALLS}, else it goes before the calls.`,
  },
  redacted_thinking: {
    handling: 'honoured',
    note: `Byte for byte. Behind a call it stays ${BETWEEN_CALLS}, else it goes before the calls.`,
  },
  server_tool_use: AS_IT_IS,
  web_search_tool_result: AS_IT_IS,
  web_fetch_tool_result: AS_IT_IS,
  code_execution_tool_result: AS_IT_IS,
  bash_code_execution_tool_result: AS_IT_IS,
  text_editor_code_execution_tool_result: AS_IT_IS,
  tool_search_tool_result: AS_IT_IS,
  mcp_tool_use: AS_IT_IS,
  mcp_tool_result: AS_IT_IS,
  'block of a kind that is not listed': { handling: 'honoured', note: 'As it is; the API says whether it knows it.' },
  compaction: {
    handling: 'refused',
    note: 'the API compacts nothing through Isthmus and would refuse the block; send its summary as a text block, and leave out the messages that it sums up',
  },
  container_upload: {
    handling: 'refused',
    note: 'containers do not pass through Isthmus; send the file as a `document` or `image` block with `source: {"type": "file", "file_id": …}`',
  },
  'message with `role: "system"`': {
    handling: 'converted',
    note: 'Stands in its place as a `<system-reminder>` of the user’s turn, behind tool results at the end of the last one, as Claude Code itself writes them.',
  },
  'what stands behind a tool_use in an assistant’s message': {
    handling: 'converted',
    note: `Claude Code puts it before the calls. It stays ${BETWEEN_CALLS}.`,
  },
  'tool_reference in a tool_result': {
    handling: 'converted',
    note: 'Becomes words; the tool itself is in `tools`, and loaded.',
  },
  '`output_config.effort` of a message with `role: "system"`': {
    handling: 'converted',
    note: 'Becomes the request’s own effort, for the answers for which the API would take it.',
  },
  'tool_addition, tool_removal in a message with `role: "system"`': {
    handling: 'converted',
    note: 'Become words; a tool that is removed is not in `tools` any more, one that is added is there, and loaded. By name, for tools of `tools`.',
  },
  'other fields of a message but `role` and `content`': {
    handling: 'ignored',
    note: 'Such as `clear_at`: a system message stays.',
  },
  'other fields of a tool_use but `id`, `name` and `input`': {
    handling: 'ignored',
    note: 'Such as `caller`; Claude Code drops them.',
  },
  'citations of an assistant’s text': {
    handling: 'ignored',
    note: 'The text stays, and so do citations of a web search.',
  },
  'other fields of an assistant’s text': {
    handling: 'ignored',
    note: 'Such as `parsed_output`, an SDK’s own.',
  },
  'blank text of an assistant': {
    handling: 'ignored',
    note: 'Models write it; the API does not take it back. Between two blocks of thinking it stays.',
  },
  'server_tool_use, mcp_tool_use without a result in the same message': {
    handling: 'ignored',
    note: 'Claude Code drops it.',
  },
  'fallback, advisor_tool_result and the call of the advisor, of an assistant': {
    handling: 'ignored',
    note: 'Claude Code drops them.',
  },
  'assistant message of thinking alone, of nothing, or of `(no content)`': {
    handling: 'ignored',
    note: 'Claude Code takes it for its own placeholder.',
  },
  'system block `x-anthropic-billing-header:`': {
    handling: 'replaced',
    note: 'By that of the gateway’s own `claude`.',
  },
  'system block that is only a line in which Claude Code or the Agent SDK says what it is': {
    handling: 'replaced',
    note: 'By that of the gateway’s own `claude`.',
  },
} as const satisfies Record<string, Row>;

/** Values of `anthropic-beta` that are known and passed on, with the reason. */
export const BETAS = {
  'thinking-token-count-2026-05-13': 'progress of thinking that is not shown',
  'thinking-display-updates-2026-08-18': 'how thinking is shown',
  'thinking-binding-controls-2026-08-01': '`thinking.block_binding`, which the API refuses without it',
  'dev-full-thinking-2025-05-14': 'thinking unabridged, for accounts that have it',
  'structured-outputs-2025-11-13': '`output_format`, `strict` tools',
  'structured-outputs-2025-12-15': '`output_config.format`',
  'fine-grained-tool-streaming-2025-05-14': 'tool input as it is written',
  'token-efficient-tools-2025-02-19': 'a shorter form of tool calls',
  'advanced-tool-use-2025-11-20': '`input_examples`',
  'computer-use-2024-10-22': 'tools that Anthropic defines and the client runs',
  'computer-use-2025-01-24': 'tools that Anthropic defines and the client runs',
  'computer-use-2025-11-24': 'tools that Anthropic defines and the client runs',
  'output-128k-2025-02-19': 'longer answers',
  'output-300k-2026-03-24': 'longer answers',
  'model-context-window-exceeded-2025-08-26': 'its stop reason',
  'pdfs-2024-09-25': 'PDF documents',
  'files-api-2025-04-14': 'sources of type `file`, as far as the credential’s workspace has them',
  'dangerous-tool-use-2026-09-03': '`safeguards`',
  'task-budgets-2026-03-13': '`output_config.task_budget`',
} as const satisfies Record<string, string>;

/**
 * Betas that the gateway's own `claude` sends wherever they apply; passed on, they would stand there twice. One exception: it
 * leaves the beta of the effort out when the request has an effort. The API needs it then, so it is passed on.
 */
export const OWN_BETAS = {
  'claude-code-20250219': 'who asks',
  'interleaved-thinking-2025-05-14': 'thinking between tool calls',
  'effort-2025-11-24': '`output_config.effort`, for models that have it; passed on beside an effort of the client',
} as const satisfies Record<string, string>;

/** Asks for a window of 1,000,000 tokens. Claude Code takes it for such a window only as a suffix of the model's name. */
export const LONG_CONTEXT = { beta: 'context-1m-2025-08-07', suffix: '[1m]' } as const;

/**
 * Values of `anthropic-beta` that are ignored, by what they begin with, and why. One that is in no list passes and is declared,
 * see docs/decisions/0005.
 */
export const WITHHELD_BETAS = {
  'fast-mode-': 'it changes what a turn costs',
  'fallback-credit-': 'it changes what a turn costs',
  'server-side-fallback-': 'it changes which model answers',
  'oauth-': 'it belongs to a credential, and the client’s is not the one that pays',
  'message-threads-': 'threads do not pass through Isthmus',
  'message-batches-': 'batches do not pass through Isthmus',
  'mcp-client-': 'the API’s connectors do not pass through Isthmus',
  'mcp-servers-': 'the API’s connectors do not pass through Isthmus',
  'code-execution-': 'server tools do not pass through Isthmus',
  'web-search-': 'server tools do not pass through Isthmus',
  'web-fetch-': 'server tools do not pass through Isthmus',
  'tool-search-tool-': 'server tools do not pass through Isthmus',
  'advisor-tool-': 'server tools do not pass through Isthmus',
  'skills-': 'containers do not pass through Isthmus',
  'environments-': 'containers do not pass through Isthmus',
  'managed-agents-': 'agents of the API do not pass through Isthmus',
  'ccr-': 'it belongs to sessions that Anthropic hosts',
  'tool-provenance-': 'it belongs to sessions that Anthropic hosts',
  'x-cc-internal-': 'Claude Code’s own notes to itself',
  'afk-mode-': 'Claude Code sends it in an auto mode of its own, and drops it elsewhere',
  'context-management-': 'the client’s messages reach the model whole',
  'context-hint-': 'the client’s messages reach the model whole',
  'compact-': 'the client’s messages reach the model whole',
  'prompt-caching-': 'Claude Code sets its own breakpoints',
  'extended-cache-ttl-': 'Claude Code sets its own breakpoints',
  'cache-keepalive-': 'Claude Code sets its own breakpoints',
  'cache-diagnosis-': 'Claude Code sets its own breakpoints',
  'thinking-resumption-': 'each answer is whole',
  'resumption-': 'each answer is whole',
  'redact-thinking-': '`thinking.display` says what is shown',
  'mid-conversation-': 'system messages are converted',
  'per-turn-control-': 'system messages are converted',
  'inline-tools-': 'system messages are converted',
  'timing-': 'system messages are converted',
} as const satisfies Record<string, string>;

/** Request headers that Isthmus reads, and those that it answers with. */
export const HEADERS = {
  request: {
    'x-api-key':
      'the client’s key; any will do, and clients with different keys never share a process. An agent with a `key` wants that one',
    authorization: '`Bearer …`: the same as `x-api-key`, for clients that send their key so',
    'anthropic-beta': 'the betas that the client asks for, see the table of betas in parameters.md',
    'isthmus-strict': '`1` turns every ignored field into a 400, as `--strict` does for all requests',
    'isthmus-agent':
      'the name of the agent that is to answer, see agents.md; its model takes the place of the request’s, and `tools` are left out',
    'isthmus-session':
      'the `isthmus-session` of the answer before: the conversation with an agent that goes on, so that it is not taken for another with the same words',
    'x-claude-session-id': 'the same as `isthmus-session`',
    'x-opencode-session':
      'the client’s own id of a conversation; it tells alike conversations with an agent apart, and chooses nothing else',
    'x-session-id': 'the same as `x-opencode-session`; the log has it as `session`',
    'x-session-affinity': 'the same as `x-session-id`',
    'x-claude-code-session-id': 'the same as `x-session-id`',
    'isthmus-via':
      'the ids of the gateways that the request came through. Each process sends it on with the own id; a request that brings that id is a ring, and refused',
    host: 'a loopback name, the address that Isthmus is bound to, or one of `--allowed-hosts`; else a 403',
    origin:
      'that of another page is a 403, unless `--allowed-origins` lists it, or an agent does and the request is below the agent’s path',
    'sec-fetch-site': '`same-origin` or `none`, as browsers set it; else a 403, with the same exception',
    'access-control-request-method':
      'of a preflight, the `OPTIONS` request that a browser sends first: what makes it one',
    'access-control-request-headers': 'of a preflight: what the page wants to send; it may send all',
    'access-control-request-private-network': 'of a preflight: `true` asks whether a page may call this machine',
    'content-type': '`application/json` for every body; else a 415',
    'x-request-id':
      'the client’s own id of the request: the log and the answer have it, too. It is 1 to 128 printable ASCII characters without spaces; anything else is taken for none',
    'user-agent': 'its first product is in the log as `client`',
  },
  answer: {
    'request-id':
      'the upstream’s own for its errors, as far as the SDK tells it; else the request’s `x-request-id`, or one of the gateway where it has none. The log has the latter two as `request`',
    'x-request-id':
      'that of the request, if it has one that is taken, or the gateway’s own; none where the request is not valid HTTP. In an error of OpenAI’s APIs it is that of `request-id`',
    'isthmus-path':
      '`continue`, `start`, `rewind` (a live process went back to what it shares with the request) or `replay`: how the turn reached the model',
    'isthmus-replay-reason': 'why a turn with a history was not continued on a live process, for `rewind` and `replay`',
    'isthmus-ignored': 'the fields that were ignored',
    'isthmus-passed': 'the fields and betas that Isthmus does not know; they go with the turn as they are',
    'isthmus-converted': 'the messages that reached the model in another form, and `model` where an agent has its own',
    'isthmus-error': 'the code of a failure, see errors.md',
    'isthmus-token-count': 'of count_tokens: `sdk` for the API’s own count, `estimate` for a guess from the length',
    'isthmus-agent': 'the agent that answered',
    'isthmus-session': 'of an agent: the id of the conversation, to send back with the next request',
    'x-claude-session-id': 'the same as `isthmus-session`',
    'isthmus-session-guessed':
      'of an agent: `1` where several conversations had the same words and the newest was taken',
    'isthmus-agent-steps':
      'of an agent’s whole answer: how many steps it made; `GET /v1/agents/turns/REQUEST-ID` lists them',
    'isthmus-agent-changed-files': 'of an agent’s whole answer: the files that it wrote, percent-encoded, bounded',
    'isthmus-agent-steps-lost': 'of an agent’s whole answer: `1` where the steps are in memory alone',
    'anthropic-ratelimit-unified-*':
      'the plan’s limits as earlier answers told them, and on a 429 `plan_limit_reached` its own; none for an API key or a cloud',
    'retry-after': 'seconds until the same request can succeed, where that is known',
    'x-should-retry':
      'whether the same request, sent again soon, can succeed; none for an error of which nobody can tell, see errors.md',
    allow: 'of a 405: the methods that the path takes',
    'access-control-allow-origin': 'for a page that is listed: its origin',
    'access-control-expose-headers': 'for a page that is listed: `*`, it may read every header',
    'access-control-allow-methods': 'of a preflight: `GET, POST`',
    'access-control-allow-headers': 'of a preflight: those that it asks for',
    'access-control-max-age': 'of a preflight: how long a browser may remember the answer, in seconds',
    'access-control-allow-private-network': 'of a preflight that asks for it: `true`',
    vary: '`Origin` for a page that is listed, and for every request where `--allowed-origins` lists any',
  },
} as const satisfies Record<'request' | 'answer', Record<string, string>>;

/** The tables as one JSON value. */
export const CONTRACT = {
  body_fields: BODY_FIELDS,
  output_config_fields: OUTPUT_CONFIG_FIELDS,
  tools: TOOL_KINDS,
  tool_fields: TOOL_FIELDS,
  content: CONTENT,
  betas: { passed_on: BETAS, said_by_claude_code: OWN_BETAS, long_context: LONG_CONTEXT, withheld: WITHHELD_BETAS },
  headers: HEADERS,
};

/** The names of the fields that go into the model's request as they are. */
export function passedFields(table: Record<string, Row>): string[] {
  return Object.entries(table).flatMap(([field, row]) => (row.passed ? [field] : []));
}
