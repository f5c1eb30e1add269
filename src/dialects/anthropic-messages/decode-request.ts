import { z } from 'zod';
import { stableJson } from '../../conversation/canonical.ts';
import { checkMessages, type DecodedMessage } from '../../conversation/check-messages.ts';
import { badRequest, type FailureError, failed } from '../../spec/failures.ts';
import type { ClientTool, ContentBlock, JsonObject, MessagesRequest } from '../../spec/messages.ts';
import { MODEL_NAME } from '../../spec/model-listing.ts';
import {
  jsonObject,
  listOf,
  MOST_FIELDS,
  nonEmpty,
  parse,
  REQUIRED,
  requiredOr,
  safeParse,
  stringOr,
  tooManyFields,
} from '../body/shapes.ts';
import { assertWellFormed } from '../body/well-formed.ts';
import type { Row } from '../contract.ts';
import {
  ANTHROPIC_CLIENT_TOOL,
  BODY_FIELDS,
  CONTENT,
  OUTPUT_CONFIG_FIELDS,
  passedFields,
  TOOL_FIELDS,
} from './contract-table.ts';
import { decodeBetas, withLongContext } from './decode-betas.ts';
import { decodeSystem } from './decode-system.ts';
import { loadedTools } from './deferred-tools.ts';
import { effortOfAnswer, messageEffort } from './message-effort.ts';
import { IndexedPaths } from './message-paths.ts';
import { withoutNulls } from './null-is-absent.ts';
import { isToolChange, TOOL_CHANGES, toolChangeInWords, toolsAfterChanges } from './tool-changes.ts';

const anyBlock = z.looseObject({ type: nonEmpty('the type of a block') });
const textBlock = z.looseObject({ type: z.literal('text'), text: z.string() });

/** The most messages of one request: more than a session of a million tokens has. The API itself takes 100,000. */
const MOST_MESSAGES = 20_000;
/** The most blocks of one message or tool result. */
const MOST_BLOCKS = 20_000;

/** The kinds of blocks whose shape matters here; the API checks those of the others. */
const RESULT_BLOCKS = {
  text: textBlock,
  image: z.looseObject({ type: z.literal('image'), source: jsonObject }),
  document: z.looseObject({ type: z.literal('document'), source: jsonObject }),
  tool_reference: z.looseObject({ type: z.literal('tool_reference'), tool_name: z.string() }),
};

const { tool_reference: _, ...MESSAGE_BLOCKS } = RESULT_BLOCKS;
const CONTENT_BLOCKS = {
  ...MESSAGE_BLOCKS,
  tool_use: z.looseObject({
    type: z.literal('tool_use'),
    id: nonEmpty('a tool_use id'),
    name: nonEmpty('a tool name'),
    input: jsonObject,
  }),
  tool_result: z.looseObject({
    type: z.literal('tool_result'),
    tool_use_id: nonEmpty('a tool_use_id'),
    content: stringOr(listOf(block(RESULT_BLOCKS), MOST_BLOCKS), 'a string or a list of content blocks').optional(),
    is_error: z.boolean().optional(),
  }),
  thinking: z.looseObject({ type: z.literal('thinking'), thinking: z.string(), signature: z.string() }),
  redacted_thinking: z.looseObject({ type: z.literal('redacted_thinking'), data: z.string() }),
  ...TOOL_CHANGES,
};

const message = z.looseObject({
  role: z.enum(['user', 'assistant', 'system'], requiredOr('must be `user`, `assistant` or `system`')),
  content: stringOr(listOf(block(CONTENT_BLOCKS), MOST_BLOCKS), 'a string or a list of content blocks'),
});

const requestBody = z.looseObject({
  model: z
    .string()
    .transform(modelName)
    .pipe(z.string().regex(MODEL_NAME, 'must be 1 to 256 printable ASCII characters without spaces')),
  max_tokens: z.int().min(0),
  messages: listOf(message, MOST_MESSAGES),
  system: stringOr(listOf(textBlock), 'a string or a list of text blocks').optional(),
  tools: listOf(z.looseObject({ type: z.string().optional() })).optional(),
  stream: z.boolean().optional(),
  thinking: z
    .looseObject({ type: z.string(), budget_tokens: z.int().positive().optional() })
    .refine(({ type, budget_tokens }) => type !== 'enabled' || budget_tokens !== undefined, {
      path: ['budget_tokens'],
      message: REQUIRED,
    })
    .optional(),
  temperature: z.number().optional(),
  top_p: z.number().optional(),
  top_k: z.number().optional(),
  stop_sequences: listOf(z.string()).optional(),
  tool_choice: z.looseObject({ type: z.string() }).optional(),
  output_config: jsonObject.optional(),
  output_format: jsonObject.optional(),
  safeguards: listOf(jsonObject).optional(),
  betas: listOf(z.string(), MOST_FIELDS).optional(),
  metadata: z.looseObject({ user_id: z.string().optional() }).optional(),
});

const toolName = z
  .string()
  .regex(/^[!-~]{1,128}$/, 'a tool name must be 1 to 128 printable ASCII characters without spaces');
const clientTool = z.looseObject({
  name: toolName,
  description: z.string().optional(),
  input_schema: jsonObject.refine(
    ({ type }) => type === 'object',
    'the root of an input_schema must have `type: "object"`',
  ),
});
const anthropicClientTool = z.looseObject({ type: z.string(), name: toolName });

export interface DecodeOptions {
  /** Values of the header `anthropic-beta`. */
  betas?: readonly string[];
  /** Whether a field that would be ignored is an error instead. */
  strict?: boolean;
  /** False when the body's text cannot hold any; saves a walk through the whole body. */
  mayHoldLoneSurrogates?: boolean;
  /** Whether a beta reaches the provider of the model. */
  passesBeta?: (value: string) => boolean;
  /** The model that the operator means by a name of his own. */
  aliasOf?: (name: string) => string | undefined;
}

/** A model's name without the prefix that routers want. */
export function modelName(id: string): string {
  return id.replace(/^anthropic\//, '');
}

/**
 * Decodes and checks a `POST /v1/messages` body by the tables of `contract-table.ts`.
 *
 * @param body the parsed JSON, of any shape but no deeper than the stack
 * @throws FailureError `bad_request`, its message beginning with the path of the field; in strict mode `field_ignored`
 */
export function decodeRequest(body: unknown, options: DecodeOptions = {}): MessagesRequest {
  const { betas: headerBetas = [], strict = false, mayHoldLoneSurrogates = true, passesBeta = () => true } = options;
  const { aliasOf = () => undefined } = options;
  const crowded = tooManyFields(body);
  if (crowded) throw badRequest('', `The body ${crowded}.`);
  const given = withoutNulls(body) as JsonObject;
  const parsed = parse(requestBody, given, '');
  if (mayHoldLoneSurrogates) assertWellFormed(body, '');
  assertOneFormat(parsed);
  const declared: Declared = { ignored: [], unknown: [] };
  const { ignored, unknown } = declared;
  const parameters = decodeParameters(given, parsed, passesBeta, declared);
  const canLoad = loadedTools(parsed);
  const declaredTools = decodeTools(parsed.tools ?? [], canLoad, ignored);
  const tools = toolsAfterChanges([...declaredTools.values()], parsed.messages);
  assertChosenToolExists(parsed.tool_choice, tools);
  const asked = [...headerBetas, ...(parsed.betas ?? [])];
  const hasEffort = (parameters.output_config as JsonObject | undefined)?.effort !== undefined;
  const betas = decodeBetas(asked, { hasEffort, passesBeta }, declared);
  const system = decodeSystem(asBlocks(parsed.system ?? []), ignored);
  const model = withLongContext(aliasOf(parsed.model) ?? parsed.model, asked);
  const messages = parsed.messages.map((item, index) => decodeMessage(item, new IndexedPaths(index), ignored));
  const checked = checkMessages(messages, 'messages', model);
  ignored.push(...checked.ignored);
  if (strict && ignored.length > 0) throw failed('field_ignored', { ignored });
  return {
    model,
    system,
    messages: checked.messages,
    tools,
    toolPaths: [...declaredTools.keys()],
    parameters,
    betas,
    stream: parsed.stream === true,
    ignored,
    converted: checked.converted,
    unknown,
    ...(parsed.metadata?.user_id ? { userId: parsed.metadata.user_id } : {}),
  };
}

/** Claude Code refuses both before it calls the API. */
function assertOneFormat({ output_format, output_config }: z.infer<typeof requestBody>): void {
  if (output_format == null || output_config?.format == null) return;
  throw badRequest('output_format', 'cannot stand beside `output_config.format`, its newer name; leave it out');
}

/** The paths of what becomes of a request otherwise than its client may think. */
type Declared = Pick<MessagesRequest, 'ignored' | 'unknown'>;

/**
 * The fields that go to the model, `output_config` with the effort that a system message has set.
 *
 * @param body as it came: a copy would lose a key such as `__proto__`, and so ignore it in silence
 */
function decodeParameters(
  body: JsonObject,
  { messages, metadata }: z.infer<typeof requestBody>,
  passesBeta: (value: string) => boolean,
  declared: Declared,
): JsonObject {
  const { output_config: given, ...fields } = passOn(body, { rows: BODY_FIELDS, path: '', passesBeta }, declared);
  for (const [field, value] of Object.entries(metadata ?? {})) {
    if (field !== 'user_id' && value != null) declared.ignored.push(`metadata.${field}`);
  }
  const table = { rows: OUTPUT_CONFIG_FIELDS, path: 'output_config.', passesBeta };
  const output = given === undefined ? undefined : passOn(given as JsonObject, table, declared);
  const effort = effortOfAnswer(messages);
  if (effort !== undefined) return { ...fields, output_config: { ...output, effort } };
  return output === undefined ? fields : { ...fields, output_config: output };
}

interface FieldTable {
  rows: Record<string, Row>;
  /** Stands before the name of each field. */
  path: string;
  passesBeta: (value: string) => boolean;
}

/** The fields of an object that go to the model as they are. */
function passOn(object: JsonObject, { rows, path, passesBeta }: FieldTable, declared: Declared): JsonObject {
  const kept = Object.entries(object).filter(([field, value]) => {
    if (value === undefined) return false;
    const row = rowOf(rows, field);
    if (row?.handling === 'refused') throw refusedField(path + field, row.note);
    if (row === undefined) declared.unknown.push(path + field);
    else if (row.handling === 'ignored' || (row.beta !== undefined && !passesBeta(row.beta))) {
      declared.ignored.push(path + field);
      return false;
    }
    return row?.passed ?? row === undefined;
  });
  return Object.fromEntries(kept);
}

const PASSED_TOOL_FIELDS = passedFields(TOOL_FIELDS);

function onlyFields(object: JsonObject, fields: readonly string[]): JsonObject {
  return Object.fromEntries(
    fields.filter((field) => object[field] !== undefined).map((field) => [field, object[field]]),
  );
}

function rowOf(table: Record<string, Row>, name: unknown): Row | undefined {
  return typeof name === 'string' && Object.hasOwn(table, name) ? table[name] : undefined;
}

function refusedField(field: string, note: string): FailureError {
  // This error makes the official SDK send whole histories again.
  const details = { error_code: 'thread_unsupported_request', unsupported: ['thread'] };
  return failed('bad_request', { path: field, problem: note, ...(field === 'thread' && { details }) });
}

function decodeMessage(
  { role, content, ...rest }: z.infer<typeof message>,
  paths: IndexedPaths,
  ignored: string[],
): DecodedMessage {
  const isHeard = messageEffort({ role, ...rest }) !== undefined;
  for (const field of Object.keys(rest)) {
    if (field !== 'output_config' || !isHeard) ignored.push(`${paths.message}.${field}`);
  }
  const blocks = asBlocks(content);
  for (const [at, block] of blocks.entries()) {
    if (role === 'system' ? block.type !== 'text' && !isToolChange(block) : isToolChange(block)) {
      const problem = role === 'system' ? 'may hold text and changes of tools only' : 'alone may change tools';
      throw badRequest(paths.block(at), `a system message ${problem}`);
    }
  }
  return { role, content: blocks.map(toolChangeInWords), paths };
}

/**
 * @param canLoad whether a deferred tool with this name is loaded, or can be
 * @returns the tools by their paths
 */
function decodeTools(
  tools: JsonObject[],
  canLoad: (name: string) => boolean,
  ignored: string[],
): Map<string, ClientTool> {
  const names = new Set<string>();
  const decoded = new Map<string, ClientTool>();
  for (const [index, item] of tools.entries()) {
    const path = `tools.${index}`;
    const fields: string[] = [];
    const tool = decodeTool(item, path, fields);
    if (tool && names.has(tool.name))
      throw badRequest(`${path}.name`, `tool names must be unique, \`${tool.name}\` was used before`);
    if (tool) names.add(tool.name);
    const isLeftOut = !tool || (item.defer_loading === true && !canLoad(tool.name));
    for (const left of isLeftOut ? [path] : fields) ignored.push(left);
    if (!isLeftOut) decoded.set(path, tool);
  }
  return decoded;
}

/** The tool as the model will see it; undefined for one that the API would run itself. */
function decodeTool(item: JsonObject, path: string, ignored: string[]): ClientTool | undefined {
  if (typeof item.type === 'string' && ANTHROPIC_CLIENT_TOOL.test(item.type)) {
    const { cache_control: _, ...tool } = parse(anthropicClientTool, item, path);
    return tool;
  }
  if (item.type !== undefined && item.type !== 'custom') return undefined;
  const tool = parse(clientTool, item, path);
  for (const [field, value] of Object.entries(tool)) {
    const { handling = 'ignored', unless = [] } = rowOf(TOOL_FIELDS, field) ?? {};
    const asksNothing = unless.some((plain) => stableJson(plain) === stableJson(value));
    if (handling === 'ignored' && !asksNothing) ignored.push(`${path}.${field}`);
  }
  return onlyFields(tool, PASSED_TOOL_FIELDS) as ClientTool;
}

/** The API would refuse such a choice too, but does not see the tools that did not pass. */
function assertChosenToolExists(
  choice: { type: string; name?: unknown } | null | undefined,
  tools: ClientTool[],
): void {
  if (choice?.type === 'tool' && !tools.some(({ name }) => name === choice.name)) {
    throw badRequest('tool_choice.name', `there is no client tool \`${String(choice.name)}\` in \`tools\``);
  }
  if (choice?.type === 'any' && tools.length === 0) {
    throw badRequest('tool_choice.type', 'asks for a tool call, but there is no client tool in `tools`');
  }
}

/**
 * A block of any kind: one of these shapes is held to it. Not a zod union: that would refuse the kinds that are not listed, and
 * name all that are.
 */
function block(shapes: Record<string, z.ZodType>) {
  return z.unknown().transform((value, context): ContentBlock => {
    const { type } = (value ?? {}) as { type?: unknown };
    const refused = rowOf(CONTENT, type);
    if (refused?.handling === 'refused') {
      context.addIssue({ code: 'custom', message: refused.note, path: ['type'] });
      return z.NEVER;
    }
    const shape = typeof type === 'string' && Object.hasOwn(shapes, type) ? shapes[type] : undefined;
    const result = safeParse(shape ?? anyBlock, value);
    if (result.success) return result.data as ContentBlock;
    for (const { message, path } of result.error.issues) context.addIssue({ code: 'custom', message, path });
    return z.NEVER;
  });
}

function asBlocks(content: string | ContentBlock[]): ContentBlock[] {
  if (typeof content !== 'string') return content;
  return content === '' ? [] : [{ type: 'text', text: content }];
}
