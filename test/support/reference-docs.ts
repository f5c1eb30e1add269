import { basename } from 'node:path';
import { decisionSources, headingOf } from '../../site/pages.js';
import { COMMON_FLAGS } from '../../src/cli/arguments.ts';
import type { Command } from '../../src/cli/command.ts';
import { COMMAND_NAMES, COMMANDS, type CommandName } from '../../src/cli/command-table.ts';
import { usageOf } from '../../src/cli/help.ts';
import {
  isFlag,
  SETTINGS,
  type Setting,
  type SettingName,
  standardOf,
  variableName,
} from '../../src/config/setting-table.ts';
import {
  BETAS,
  BODY_FIELDS,
  CONTENT,
  HEADERS,
  LONG_CONTEXT,
  OUTPUT_CONFIG_FIELDS,
  OWN_BETAS,
  TOOL_FIELDS,
  TOOL_KINDS,
  WITHHELD_BETAS,
} from '../../src/dialects/anthropic-messages/contract-table.ts';
import type { Row } from '../../src/dialects/contract.ts';
import { CHAT_FIELDS, CHAT_MESSAGES } from '../../src/dialects/openai-chat/chat-contract.ts';
import { RESPONSES_FIELDS, RESPONSES_ITEMS } from '../../src/dialects/openai-responses/responses-contract.ts';
import { RESERVED_NAMES } from '../../src/engine/parameters/tool-names.ts';
import { SHIELD } from '../../src/http/shielded-response.ts';
import { FAILURE_FACTS } from '../../src/spec/failures.ts';

const MADE = 'Made by `npm run docs` from';

/** `docs/openai.md`, made from the tables that the program acts on. */
export function openAiPage(): string {
  return `# OpenAI's chat completions and responses

${MADE} \`src/dialects/openai-chat/chat-contract.ts\` and \`src/dialects/openai-responses/responses-contract.ts\`;
\`GET /v1/capabilities\` has the same as JSON.

\`POST /v1/chat/completions\` and \`POST /v1/responses\`, with and without \`/v1\`, streaming and not. It is the same gateway: the same
conversations and live processes, the same headers ([headers.md](headers.md)) and limits.

## Point a client at it

The base URL ends in \`/v1\`, and any key will do. \`eval "$(isthmus env)"\` sets both for OpenAI's SDKs, and so does:

\`\`\`sh
export OPENAI_BASE_URL=http://127.0.0.1:3456/v1 OPENAI_API_KEY=any
\`\`\`

## Model aliases

A client names a model of \`GET /v1/models\`, or an alias of Claude Code such as \`sonnet\`. A name of OpenAI's, such as \`gpt-5\`, is a 404
until you say which model it stands for: \`--model-alias gpt-5=claude-sonnet-5,gpt-5-mini=claude-haiku-4-5\`, or in the configuration
file \`{"model-alias": {"gpt-5": "claude-sonnet-5"}}\`. The list of models has your names, too; an answer names the model that
answered. Some clients ask a second, small model of OpenAI by themselves, such as for titles: map that name, too, or set the
client's small model.

## Agents

An agent ([agents.md](agents.md)) is named as in the Messages API: by the header \`isthmus-agent\`, by its name as the \`model\`, or by the
base URL \`http://127.0.0.1:3456/agents/NAME/v1\`, below which \`/chat/completions\`, \`/responses\` and \`/models\` are. The client gets one
answer and never a call of the agent's own tools.

- An agent with a model of its own takes any name for it, \`gpt-4o\` too.
- In chat completions the texts that it says between its steps are paragraphs of one text; in responses each is a \`message\`.
- What it did is \`isthmus_agent\`: in the chunk with the \`finish_reason\`, and in the \`response\` of the last event, or of the whole body. A
  whole answer has the headers that [agents.md](agents.md#what-a-client-gets) names.
- A limit of the turn ends it as one of tokens does: \`finish_reason\` \`length\`, or \`incomplete\`.
- A limit of tokens, \`stop\`, \`parallel_tool_calls\` and the client's tools are declared under these names; a \`tool_choice\` other than
  \`auto\` beside tools is a 400.
- A conversation goes on in its live process, and after a restart with its steps; only \`previous_response_id\` does not outlive a restart.

## Chat completions

### Fields of the body

A field that is not listed is ignored; the answer's header \`isthmus-ignored\` names it.

${rows('field', CHAT_FIELDS, code)}

### Messages

${rows('message', CHAT_MESSAGES, plain)}

### Answers

- The id of a call is the model's with \`call_\` before it, and the model's again when it comes back. A client may send arguments with
  other spaces, and results in any order: the conversation goes on in its live process.
- Thinking is \`reasoning_content\` as it comes, and one signed entry of \`reasoning_details\` for each block. A client that sends
  \`reasoning_details\` back gives the model its thinking back.
- Models from Claude 5.1 on take thinking back only behind the very messages, tools and system prompt that it was thought behind. They are
  asked to leave out what no longer fits (\`block_binding\`, \`drop_block\`), where a provider takes that beta; elsewhere they refuse the
  request.
- \`finish_reason\` is \`tool_calls\` where there are calls, \`length\` at a limit of tokens, \`content_filter\` for a refusal, else \`stop\`.
- \`prompt_tokens\` counts cached tokens, too, as OpenAI does.
- In a silence a stream gets a chunk that says nothing. Where the model breaks off, the last line is an error, and there is no
  \`[DONE]\`.

## Responses

### Fields of the request

A field that is not listed is ignored; the answer's header \`isthmus-ignored\` names it.

${rows('field', RESPONSES_FIELDS, code)}

### Items of the input

${rows('item', RESPONSES_ITEMS, plain)}

### Answers and their events

- Each block of the model's answer is one item of \`output\`: a \`message\` for a text, a \`function_call\` or \`custom_tool_call\`, a
  \`reasoning\` for thinking. Ids of calls are as in chat completions. A tool of a namespace is \`namespace__name\` for the model, and has
  its own name and \`namespace\` in the answer.
- Thinking is told as the summary of a \`reasoning\` item. Its \`encrypted_content\` holds the thinking with the model's signature: a client
  that sends the item back gives the model its thinking back. It is encoded, not encrypted.
- Models from Claude 5.1 on take thinking back only behind the very messages, tools and system prompt that it was thought behind. They are
  asked to leave out what no longer fits (\`block_binding\`, \`drop_block\`), where a provider takes that beta; elsewhere they refuse the
  request.
- A stream begins with \`response.created\` and \`response.in_progress\` and has exactly one end: \`response.completed\`,
  \`response.incomplete\` at a limit of tokens, or \`error\` and \`response.failed\` where the model breaks off, as
  OpenAI's server has it. In a silence it gets \`response.in_progress\` again.
- A call that a limit cuts has the status \`incomplete\` and as much of its arguments as came, or \`{\` where nothing came. In chat completions
  it has the same arguments.
- A refusal is a complete answer whose last item has a part \`refusal\`.
- \`input_tokens\` counts cached tokens, too, as OpenAI does.
- What is kept for \`previous_response_id\` and \`item_reference\` is in memory, for the same key alone: a restart forgets it. There is no
  \`GET /v1/responses/{id}\`, and no \`/v1/responses/compact\`.

## Errors

\`{"error": {"message", "type", "param", "code"}}\`; \`param\` is the path in the client's own body. The header \`isthmus-error\` has the
code of [errors.md](errors.md). Paths that clients of every API ask, such as \`/v1/models\`, and paths that are not there, tell errors
with the fields of each API; their \`type\` is that of the Messages API.

${table(
  ['what', 'status', 'type', 'code'],
  [
    ['a field is wrong', '400', '`invalid_request_error`', ''],
    ['a field asks for what is not here', '400', '`invalid_request_error`', '`unsupported_value`'],
    [
      'an earlier answer is not kept',
      '400',
      '`invalid_request_error`',
      '`previous_response_not_found`, none for an item',
    ],
    ['more tokens than the model takes', '400', '`invalid_request_error`', '`context_length_exceeded`'],
    ['the credential is refused', '401', '`authentication_error`', '`invalid_api_key`'],
    [
      'a model of OpenAI without an alias, no such model or agent',
      '404',
      '`invalid_request_error`',
      '`model_not_found`',
    ],
    ['no such path', '404', '`invalid_request_error`', '`unknown_url`'],
    ['a limit of the API or of the plan', '429', '`rate_limit_error`', '`rate_limit_exceeded`'],
    ['nobody pays any more', '429', '`insufficient_quota`', '`insufficient_quota`'],
    ['the API or the gateway is busy', '503', '`server_error`', '`overloaded`'],
    ['anything else of the server', '5xx', '`server_error`', '`server_error`'],
  ],
)}
`;
}

/** `docs/parameters.md`, made from the tables that the program acts on. */
export function parametersPage(): string {
  return `# What becomes of a request

${MADE} \`src/dialects/anthropic-messages/contract-table.ts\`; \`GET /v1/capabilities\` has the same as JSON.

- **honoured**: the model's API is asked for it exactly so, on every path.
- **replaced**: Claude Code's own takes its place; the answer does not depend on it.
- **converted**: it reaches the model in another form; the answer's header \`isthmus-converted\` names it.
- **ignored**: not acted on; the answer's header \`isthmus-ignored\` names it, and in strict mode it is a 400.
- **refused**: a 400 that says what to do instead.

What one turn asks for is not asked for in the next.

## Fields of the body

A field that is not listed passes as it is; the answer's header \`isthmus-passed\` names it. Why: [decision 5](decisions/0005-one-contract.md).

${rows('field', BODY_FIELDS, code)}

Fields of \`output_config\`, by the same rule:

${rows('field', OUTPUT_CONFIG_FIELDS, code)}

## Tools

${rows('tool', TOOL_KINDS, plain)}

Fields of a client tool; one that is not listed is ignored.

${rows('field', TOOL_FIELDS, code)}

Names that Claude Code claims for its own tools have a \`_\` behind them before the model, and none before the client:

${table(
  ['name', 'else'],
  Object.entries(RESERVED_NAMES).map(([name, problem]) => [code(name), problem]),
)}

## Content

${rows('content', CONTENT, plain)}

## Betas

Values of \`anthropic-beta\` that are known and passed on. None changes which model answers. Some clouds get four of them alone,
see [credentials.md](credentials.md).

${table(
  ['value', 'for'],
  Object.entries(BETAS).map(([name, reason]) => [code(name), reason]),
)}

Said by Claude Code itself wherever they apply:

${table(
  ['value', 'for'],
  Object.entries(OWN_BETAS).map(([name, reason]) => [code(name), reason]),
)}

\`${LONG_CONTEXT.beta}\` becomes the suffix \`${LONG_CONTEXT.suffix}\` of the model's name, by which alone Claude Code takes the model for one
with a window of 1,000,000 tokens; it then sends that beta itself.

Ignored, by what the value begins with:

${table(
  ['value', 'why'],
  Object.entries(WITHHELD_BETAS).map(([beginning, reason]) => [code(`${beginning}…`), reason]),
)}

All others pass as they are; the header \`isthmus-passed\` names them. A process keeps the betas of its first turn: when they change, the turn goes by replay.

[headers.md](headers.md) lists the headers of requests and answers.
`;
}

/** `docs/errors.md`, made from the table of failures. */
export function errorsPage(): string {
  const facts = Object.entries(FAILURE_FACTS);
  const codes = facts.map(([name, { status, type, repeat }]) => [
    `[${code(name)}](#${name})`,
    status,
    code(type).replace('`the upstream’s`', 'the upstream’s'),
    repeat,
  ]);
  const sections = facts.map(([name, { cause, cure }]) => `### ${code(name)}\n\n${cause}\n\n**Cure:** ${cure}`);
  return `# Errors

${MADE} \`src/spec/failures.ts\`.

Every error has the API's envelope and a stable code: in the header \`isthmus-error\`, and, unless the model's API made the
error, in \`error.details.error_code\`. Before the first byte of an answer an error is an HTTP status; after it, an
\`event: error\` of the stream. Decide by status, type or code, never by the words of a message.

"Repeat" says whether the same request, sent again, can succeed.

${table(['code', 'status', 'type', 'repeat'], codes)}

## Causes and cures

${sections.join('\n\n')}

## The upstream's own errors

Status and \`error.type\` are the API's. So are message and \`request-id\` on every path, if the body is the API's own envelope; on
Bedrock and Vertex AI it is another. An error within a stream has its type and its words too, before the first byte and after
it; before the first byte its status is that of its type, 500 for a type that is not the API's.

Some cannot be had. Claude Code has words of its own for a 404, for a credit balance that is too low, and for calls and
results that do not belong together. Behind the first whole block of an answer it takes an \`overloaded_error\`,
\`timeout_error\` or \`api_error\` for a lost connection, so these are \`upstream_cut\` there. The full stop at the end of an
error above 499 may be missing. Where Claude Code's words would name the upstream's address, a sentence of Isthmus stands. An
answer below 400, such as a redirect, is told as a 502.

A 404 and a redirect are asked for twice: without streaming the second time, and an answer to that is relayed as a stream.
A 503 of Anthropic's own API is asked for twice within a second before it is announced, an error event that a stream begins
with up to three times, and a 400 to a request with the beta \`thinking-token-count-2026-05-13\` again without that beta. None
of the calls that fail is paid.

The API's headers \`anthropic-ratelimit-*\` do not come through. Those of a plan are made anew from what Claude Code tells,
see [limits.md](limits.md#limits-of-a-plan).

## Who tries again

By default the client: the first retry that Claude Code announces becomes the answer, its wait as \`retry-after\` (rounded up;
Claude Code adds up to a quarter to what the API said). It announces no more than six hours; such a wait may be longer, and
goes out without \`retry-after\`. A plan's limit has the true time of its reset.

The header \`x-should-retry\` says whether the same request, sent again soon, can succeed. It is \`false\` for whatever the
request or the operator must mend first, such as a 400 or a 401, where the API says so itself, and beside a wait of more
than five minutes: the official SDKs sleep for any \`retry-after\`, for days if need be, and Claude Code repeats a 401 for
minutes. Errors of which nobody can tell have none.

With \`--retries gateway\` Claude Code tries again, up to ten times,
while a streaming client gets pings; the client should then not retry by itself.
`;
}

/** `docs/headers.md`, made from the table of the contract. */
export function headersPage(): string {
  const list = (headers: Record<string, string>) =>
    table(
      ['header', 'what'],
      Object.entries(headers).map(([name, what]) => [code(name), linked(what)]),
    );
  return `# Headers

${MADE} \`src/dialects/anthropic-messages/contract-table.ts\`; \`GET /v1/capabilities\` has the same as JSON.

## Of a request

All others are left alone: none of a client's own headers goes to the model's API.

${list(HEADERS.request)}

## Of an answer

Every answer has \`request-id\`, and the headers that keep web pages out: ${Object.entries(SHIELD)
    .map(([name, value]) => code(`${name}: ${value}`))
    .join(', ')}.

${list(HEADERS.answer)}
`;
}

/** `docs/cli.md`, made from the table of commands. */
export function cliPage(): string {
  return `# Command line

${MADE} \`src/cli/command-table.ts\`. \`isthmus COMMAND --help\` says the same in a terminal.

An expected problem is one line on stderr that begins with \`isthmus:\` and names the cure; the exit code is 1 then.
Every command takes ${Object.entries(COMMON_FLAGS)
    .map(([name, { help }]) => `${code(`--${name}`)} (${help})`)
    .join(' and ')}.
${COMMAND_NAMES.map(commandSection).join('')}
## Completion

The line that loads it belongs into the file that your shell reads at its start. Files are completed by the shell itself.

| shell | file | line |
| --- | --- | --- |
| bash | \`~/.bashrc\` | \`eval "$(isthmus complete bash)"\` |
| zsh | \`~/.zshrc\` | \`autoload -Uz compinit && compinit; eval "$(isthmus complete zsh)"\` |
| fish | \`~/.config/fish/config.fish\` | \`isthmus complete fish \\| source\` |
`;
}

function commandSection(name: CommandName): string {
  const { summary, flags, takesSettings }: Command = COMMANDS[name];
  const rows = Object.entries(flags).map(([flag, { value, short, help }]) => [
    code(`${short ? `-${short}, ` : ''}--${flag}${value === undefined ? '' : ` ${value}`}`),
    help,
  ]);
  const settings = takesSettings ? '\nIt takes the [settings](config.md), and `--config FILE`.\n' : '';
  return `
## isthmus ${name}

${summary.charAt(0).toUpperCase()}${summary.slice(1)}.

\`\`\`text
${usageOf(name)}
\`\`\`
${rows.length > 0 ? `\n${table(['flag', 'what'], rows)}\n` : ''}${settings}`;
}

/** Defaults that depend on the machine, in words. */
const MACHINE_DEFAULTS: Partial<Record<SettingName, string>> = {
  'max-memory-mb': 'half of the machine’s memory, but at least 1024',
  'spawns-at-a-time': 'the number of cores',
};

/** `docs/config.md`, made from the table of settings. */
export function configPage(): string {
  const names = Object.keys(SETTINGS) as SettingName[];
  return `# Settings

${MADE} \`src/config/setting-table.ts\`.

A setting is a flag (\`--max-processes 8\`), an environment variable (\`ISTHMUS_MAX_PROCESSES=8\`) and a key of the configuration
file (\`{"max-processes": 8}\`). Flags come first, then variables, then the file, then the default. What is not a setting, or is out of
bounds, is refused at the start, in one line that names it.

The file is the one that \`--config FILE\` or \`ISTHMUS_CONFIG\` names, else \`~/.config/isthmus/config.json\` if it is there. It is JSON;
comments and trailing commas are welcome. A text may hold a variable of the environment, as \`"$NAME"\` or \`\${NAME}\`; one that is not
set is an error.

\`\`\`jsonc
{
  // A small machine.
  "max-processes": 8,
  "max-memory-mb": 1500,
  "allowed-hosts": ["host.docker.internal"]
}
\`\`\`

${table(
  ['setting', 'what', 'default', 'value', 'variable'],
  names.map((name) => [
    code(name),
    linked(SETTINGS[name].help),
    defaultOf(name),
    settingValue(SETTINGS[name]),
    isFlag(name) ? code(variableName(name)) : 'none',
  ]),
)}

The first command says whether your settings are right, the second what each is and where it comes from:

\`\`\`sh run
isthmus config check
isthmus config show
\`\`\`

Editors know the keys of the file by \`"$schema": "…/node_modules/isthmus-gateway/config.schema.json"\`.

## Processes

The process of a live conversation holds about 130 MB. \`max-processes\` limits how many processes there are, \`max-memory-mb\`
what they hold together. A spare is a process that was spawned ahead for a new conversation (\`spares\`); while many
conversations begin, there are up to four times as many. When a conversation needs room beyond a limit, Isthmus ends a process
that waits: that of a question that was answered seconds ago and brought no tools, else a spare, else that of an idle
conversation, whose next turn is then a replay.

A process whose question was answered takes the next conversation of the same caller with the same system prompt, which saves the
spawn of another. It never serves two callers, and takes no more conversations after 200, or when it holds a third more memory
than at first. \`--reuse off\` keeps to what Claude Code documents: each process then serves one conversation, and goes back to no
earlier point of it.

Without such a process a request waits in the queue (\`queue-length\`). Nobody who waits is refused while the queue moves; one
that stands still for \`queue-seconds\` is refused with a 529. So is a request that would wait for more than four minutes, at once.
\`retry-after\` says when those that wait now will have had their turn.
`;
}

function defaultOf(name: SettingName): string {
  if (SETTINGS[name].kind === 'toggle') return code('false');
  const standard = standardOf(name);
  return MACHINE_DEFAULTS[name] ?? (standard === undefined ? 'none' : code(String(standard)));
}

function settingValue(setting: Setting): string {
  switch (setting.kind) {
    case 'integer':
      return `a whole number from ${setting.least} to ${setting.most}`;
    case 'number':
      return `a number from ${setting.least} to ${setting.most}`;
    case 'choice':
      return setting.of.map(code).join(', ');
    case 'text':
      return 'text';
    case 'address':
      return 'an IP address or a name';
    case 'toggle':
      return 'true or false; as a flag it needs no value';
    case 'agents':
      return 'an object; see [agents.md](agents.md#defining-an-agent)';
    case 'aliases':
      return '`NAME=MODEL` with commas between them; in the file an object';
    default:
      return 'names with commas between them; in the file also a list';
  }
}

/** Names of pages as links. */
function linked(text: string): string {
  return text.replace(/(?:docs\/)?\b([a-z-]+\.md)\b/g, '[$1]($1)');
}

/** `docs/decisions/README.md`, made from the headings of the decisions. */
export function decisionsPage(): string {
  const lines = decisionSources().map((source) => `- [${headingOf(source)}](${basename(source)})`);
  return `# Decisions

Why things are as they are. ${MADE} the pages' headings.

${lines.join('\n')}
`;
}

function rows(head: string, entries: Record<string, Row>, show: (name: string) => string): string {
  return table(
    [head, '', 'note'],
    Object.entries(entries).map(([name, { handling, note }]) => [show(name), handling, note]),
  );
}

function table(head: string[], lines: string[][]): string {
  return [head, head.map(() => '---'), ...lines]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
}

function code(text: string): string {
  return `\`${text}\``;
}

function plain(text: string): string {
  return text;
}
