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

const jsonObject = z.looseObject({});
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
  name: nonEmpty('a tool name').max(128),
  description: z.string().nullish(),
  input_schema: z.looseObject({ type: z.literal('object', 'the root of an input_schema must have `type: "object"`') }),
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
    system: asBlocks(parsed.system ?? [])
      .map((block) => String(block.text))
      .filter((text) => text !== '')
      .join('\n\n'),
    messages: checked.messages,
    tools,
    parameters: { thinking: { type: 'disabled' }, ...pickParameters(parsed) },
    stream: parsed.stream === true,
    ignored: [...ignored, ...checked.ignored],
  };
}

const ACTED_ON: ReadonlySet<string> = new Set([...PARAMETERS, 'model', 'messages', 'system', 'tools', 'stream']);

function pickParameters(body: JsonObject): JsonObject {
  return Object.fromEntries(PARAMETERS.filter((name) => body[name] != null).map((name) => [name, body[name]]));
}

const TOOL_FIELDS: ReadonlySet<string> = new Set(['type', 'name', 'description', 'input_schema', 'cache_control']);

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
    for (const field of Object.keys(tool)) if (!TOOL_FIELDS.has(field)) ignored.push(`${path}.${field}`);
    const { name, description, input_schema } = tool;
    return [{ name, inputSchema: input_schema, ...(description != null ? { description } : {}) }];
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
