import { z } from 'zod';
import { checkMessages } from '../../conversation/check-messages.ts';
import { badRequest } from '../../spec/failure.ts';
import type { ClientTool, ContentBlock, JsonObject, Message, MessagesRequest } from '../../spec/messages.ts';

/** Body fields that go into the model's request as they are. */
const PARAMETERS = [
  'max_tokens',
  'thinking',
  'temperature',
  'top_p',
  'top_k',
  'stop_sequences',
  'tool_choice',
  'output_config',
] as const;

/** Passed on as the same object: a copy would lose a key such as `__proto__`. */
const jsonObject = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'must be an object',
);
const nonEmpty = (what: string) => z.string().min(1, `${what} must not be empty`);

const textBlock = z.looseObject({ type: z.literal('text'), text: z.string() });
const imageBlock = z.looseObject({ type: z.literal('image'), source: jsonObject });
const documentBlock = z.looseObject({ type: z.literal('document'), source: jsonObject });
const searchResultBlock = z.looseObject({ type: z.literal('search_result') });
const resultBlock = z.discriminatedUnion('type', [textBlock, imageBlock, documentBlock, searchResultBlock]);

const contentBlock = z.discriminatedUnion('type', [
  textBlock,
  imageBlock,
  documentBlock,
  searchResultBlock,
  z.looseObject({
    type: z.literal('tool_use'),
    id: nonEmpty('a tool_use id'),
    name: nonEmpty('a tool name'),
    input: jsonObject,
  }),
  z.looseObject({
    type: z.literal('tool_result'),
    tool_use_id: nonEmpty('a tool_use_id'),
    content: stringOr(z.array(resultBlock), 'a string or a list of content blocks').optional(),
    is_error: z.boolean().nullish(),
  }),
  z.looseObject({ type: z.literal('thinking'), thinking: z.string(), signature: z.string() }),
  z.looseObject({ type: z.literal('redacted_thinking'), data: z.string() }),
]);

const message = z.looseObject({
  role: z.enum(['user', 'assistant'], 'must be `user` or `assistant`; a system prompt goes into `system`'),
  content: stringOr(z.array(contentBlock), 'a string or a list of content blocks'),
});

const requestBody = z.looseObject({
  model: nonEmpty('the model'),
  max_tokens: z.int().positive(),
  messages: z.array(message),
  system: stringOr(z.array(textBlock), 'a string or a list of text blocks').optional(),
  tools: z.array(z.looseObject({ type: z.string().nullish() })).nullish(),
  stream: z.boolean().nullish(),
  thinking: z
    .discriminatedUnion('type', [
      z.looseObject({ type: z.literal('disabled') }),
      z.looseObject({ type: z.literal('enabled'), budget_tokens: z.int().positive() }),
      z.looseObject({ type: z.literal('adaptive') }),
    ])
    .nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  top_k: z.number().nullish(),
  stop_sequences: z.array(z.string()).nullish(),
  tool_choice: z.looseObject({ type: z.string() }).nullish(),
  output_config: jsonObject.nullish(),
});

const clientTool = z.looseObject({
  name: z.string().regex(/^[!-~]{1,128}$/, 'a tool name must be 1 to 128 printable ASCII characters without spaces'),
  description: z.string().nullish(),
  input_schema: jsonObject.refine(
    ({ type }) => type === 'object',
    'the root of an input_schema must have `type: "object"`',
  ),
});

/**
 * Decodes and checks a `POST /v1/messages` body.
 *
 * @param body the parsed JSON, of any shape
 * @param mayHoldLoneSurrogates false when the text that it was parsed from cannot; saves a walk through all of it
 * @throws FailureError `bad_request`, its message beginning with the path of the field
 */
export function decodeRequest(body: unknown, mayHoldLoneSurrogates = true): MessagesRequest {
  const parsed = parse(requestBody, body, '');
  if (mayHoldLoneSurrogates) assertWellFormed(parsed, '');
  const ignored: string[] = [];
  const messages = parsed.messages.map((item): Message => ({ role: item.role, content: asBlocks(item.content) }));
  const checked = checkMessages(messages);
  const tools = decodeTools(parsed.tools ?? [], ignored);
  for (const field of Object.keys(parsed)) if (!ACTED_ON.has(field)) ignored.push(field);
  return {
    model: parsed.model,
    system: decodeSystem(asBlocks(parsed.system ?? []), ignored),
    messages: checked.messages,
    tools,
    parameters: { thinking: { type: 'disabled' }, ...pickParameters(parsed) },
    stream: parsed.stream === true,
    ignored: [...ignored, ...checked.ignored],
  };
}

/** A system prompt that is nothing but one of these would take the place of Claude Code's own, or vanish. */
const MARKERS_OF_CLAUDE_CODE: ReadonlySet<string> = new Set([
  "You are Claude Code, Anthropic's official CLI for Claude.",
  "You are Claude Code, Anthropic's official CLI for Claude, running within the Claude Agent SDK.",
  "You are a Claude agent, built on Anthropic's Claude Agent SDK.",
  '__SYSTEM_PROMPT_DYNAMIC_BOUNDARY__',
]);
/** The first block of Claude Code as a client: its billing header; the gateway's own `claude` sends its own. */
const BILLING_HEADER = 'x-anthropic-billing-header:';

function decodeSystem(blocks: ContentBlock[], ignored: string[]): string {
  const kept = blocks.filter(({ text }, index) => {
    const isHeader = String(text).startsWith(BILLING_HEADER);
    if (isHeader) ignored.push(`system.${index}`);
    return !isHeader && text !== '';
  });
  const system = kept.map(({ text }) => String(text)).join('\n\n');
  if (MARKERS_OF_CLAUDE_CODE.has(system.trim())) {
    throw badRequest('system', 'is nothing but a marker of Claude Code’s own; say something else, or more');
  }
  return system;
}

const ACTED_ON: ReadonlySet<string> = new Set([...PARAMETERS, 'model', 'messages', 'system', 'tools', 'stream']);

function pickParameters(body: JsonObject): JsonObject {
  return Object.fromEntries(PARAMETERS.filter((name) => body[name] != null).map((name) => [name, body[name]]));
}

/** Fields of a tool that go to the model as they are. */
const TOOL_FIELDS = ['name', 'description', 'input_schema', 'strict', 'eager_input_streaming'] as const;
/** Fields that say nothing to the model, or are replaced by Claude Code's own. */
const SILENT_TOOL_FIELDS: ReadonlySet<string> = new Set([...TOOL_FIELDS, 'type', 'cache_control']);

function decodeTools(tools: JsonObject[], ignored: string[]): ClientTool[] {
  const names = new Set<string>();
  return tools.flatMap((item, index): ClientTool[] => {
    const path = `tools.${index}`;
    if (item.type != null && item.type !== 'custom') {
      ignored.push(path);
      return [];
    }
    const tool = parse(clientTool, item, path);
    if (names.has(tool.name))
      throw badRequest(`${path}.name`, `tool names must be unique, \`${tool.name}\` was used before`);
    names.add(tool.name);
    for (const field of Object.keys(tool)) if (!SILENT_TOOL_FIELDS.has(field)) ignored.push(`${path}.${field}`);
    const fields = TOOL_FIELDS.filter((field) => tool[field] != null).map((field) => [field, tool[field]]);
    return [Object.fromEntries(fields) as ClientTool];
  });
}

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown, path: string): z.infer<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const at = [path, ...(issue?.path ?? []).map(String)].filter((part) => part !== '').join('.');
  throw badRequest(at, issue?.message ?? 'is not valid');
}

/** A string, or what the schema says; a zod union would hide the path of a problem inside the list. */
function stringOr<Schema extends z.ZodType>(schema: Schema, expected: string) {
  return z.unknown().transform((value, context): string | z.infer<Schema> => {
    if (typeof value === 'string') return value;
    if (!Array.isArray(value)) {
      context.addIssue({ code: 'custom', message: `must be ${expected}` });
      return z.NEVER;
    }
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    for (const { message, path } of result.error.issues) context.addIssue({ code: 'custom', message, path });
    return z.NEVER;
  });
}

function asBlocks(content: string | ContentBlock[]): ContentBlock[] {
  if (typeof content !== 'string') return content;
  return content === '' ? [] : [{ type: 'text', text: content }];
}

/** Half a surrogate pair is no text: the SDK would replace it in silence, and the API refuses it. */
function assertWellFormed(value: unknown, path: string): void {
  if (typeof value === 'string') {
    if (LONE_SURROGATE.test(value)) throw badRequest(path, 'has half a surrogate pair, which is not valid Unicode');
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) assertWellFormed(inner, path ? `${path}.${key}` : key);
  }
}

const LONE_SURROGATE = /\p{Surrogate}/u;
