import { z } from 'zod';
import { checkMessages, type DecodedMessage } from '../../conversation/check-messages.ts';
import { badRequest, failed, unsupported } from '../../spec/failures.ts';
import type { ContentBlock, JsonObject, MessagesRequest } from '../../spec/messages.ts';
import { jsonObject, listOf, parse, tooManyFields } from '../body/shapes.ts';
import { assertWellFormed } from '../body/well-formed.ts';
import type { WireRequest } from '../dialect.ts';
import { inputOfArguments } from '../openai/call-arguments.ts';
import { modelCallId } from '../openai/call-ids.ts';
import { type PlacedBlock, placedBlocks, textOf } from '../openai/content-parts.ts';
import { DeclaredTools, declaredTool } from '../openai/declared-tools.ts';
import { ignoredFields } from '../openai/field-table.ts';
import { requestedModel } from '../openai/model-request.ts';
import { PlacedPaths } from '../openai/placed-paths.ts';
import { EFFORTS } from '../openai/thinking.ts';
import { chooseTools } from '../openai/tool-choice.ts';
import { type AskedParameters, turnParameters } from '../openai/turn-parameters.ts';
import { type BetweenAnswers, type OpenCall, type PairWords, turnOfUser } from '../openai/user-turn.ts';
import { CHAT_FIELDS } from './chat-contract.ts';
import { thinkingOfDetails } from './reasoning-details.ts';

/** The most messages of one request, as in the Messages API's dialect. */
const MOST_MESSAGES = 20_000;

const call = z.looseObject({
  id: z.string().min(1, 'must not be empty'),
  type: z.string().nullish(),
  function: z.looseObject({ name: z.string(), arguments: z.string().nullish() }).nullish(),
  custom: z.looseObject({ name: z.string(), input: z.string() }).nullish(),
});
const message = z.looseObject({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool'], {
    error: ({ input }) =>
      input === 'function'
        ? 'is the old form; use `tool` messages'
        : 'must be `system`, `developer`, `user`, `assistant` or `tool`',
  }),
  content: z.unknown().optional(),
  tool_calls: listOf(call).nullish(),
  tool_call_id: z.string().nullish(),
  refusal: z.string().nullish(),
  reasoning_details: z.unknown().optional(),
});
type ChatMessage = z.infer<typeof message>;

const tokens = z.int().min(1).nullish();
const body = z.looseObject({
  messages: listOf(message, MOST_MESSAGES),
  tools: listOf(jsonObject).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  max_completion_tokens: tokens,
  max_tokens: tokens,
  reasoning_effort: z.enum(EFFORTS, `must be one of ${EFFORTS.join(', ')}`).nullish(),
  stop: z.union([z.string(), z.array(z.string())], 'must be a string or a list of strings').nullish(),
  response_format: z
    .looseObject({
      type: z.enum(['text', 'json_object', 'json_schema'], 'must be `text`, `json_object` or `json_schema`'),
      json_schema: z.looseObject({ schema: jsonObject }).nullish(),
    })
    .nullish(),
  user: z.string().nullish(),
});
type ChatBody = z.infer<typeof body>;

/** A decoded chat completion. */
export interface DecodedChat {
  request: MessagesRequest;
  /** Names of tools whose input is free text. */
  customTools: ReadonlySet<string>;
  /** Whether a stream tells its usage. */
  includesUsage: boolean;
}

/** What became of the request otherwise than its client may think. */
interface Declared {
  ignored: string[];
  converted: string[];
}

/**
 * Decodes and checks the body of `POST /v1/chat/completions` by `chat-contract.ts`.
 *
 * @throws FailureError `bad_request`, its message beginning with the path of the field; `model_not_mapped`; `field_ignored`
 */
export function decodeChat(wire: WireRequest): DecodedChat {
  const { body: given, strict, mayHoldLoneSurrogates, passesBeta } = wire;
  const crowded = tooManyFields(given);
  if (crowded) throw badRequest('', `The body ${crowded}.`);
  const whole = parse(jsonObject, given, '');
  const named = requestedModel(whole.model, wire);
  const { model } = named;
  // The model's rules go by what it is.
  const modelId = wire.idOf(model);
  const declared: Declared = { ignored: ignoredFields(whole, CHAT_FIELDS), converted: [] };
  const parsed = parse(body, given, '');
  if (mayHoldLoneSurrogates) assertWellFormed(given, '');
  const declaredTools = decodeTools(parsed.tools ?? [], declared);
  const choice = chooseTools({
    model: modelId,
    choice: whole.tool_choice,
    isParallel: whole.parallel_tool_calls,
    tools: declaredTools.all.map(({ tool }) => tool),
  });
  declared.ignored.push(...choice.ignored);
  const { max_completion_tokens, max_tokens, reasoning_effort, response_format } = parsed;
  const { parameters, betas } = turnParameters(
    {
      model: modelId,
      maxTokens: max_completion_tokens ?? max_tokens,
      thinking: reasoning_effort == null ? undefined : { effort: reasoning_effort, path: 'reasoning_effort' },
      isForced: choice.isForced,
      temperature: whole.temperature,
      top_p: whole.top_p,
      format: askedFormat(response_format),
      passesBeta,
    },
    declared,
  );
  const stops = decodeStop(parsed.stop, declared);
  for (const [at, { role, name }] of parsed.messages.entries()) {
    // That of a result repeats the call's.
    if (name != null && role !== 'tool') declared.ignored.push(`messages.${at}.name`);
  }
  const { system, rest } = splitSystem(parsed.messages, declared);
  const decoded = decodeMessages(rest, declared);
  const checked = checkMessages(decoded, 'messages', model);
  const ignored = [...declared.ignored, ...checked.ignored];
  if (strict && ignored.length > 0) throw failed('field_ignored', { ignored });
  return {
    request: {
      ...named,
      system,
      messages: checked.messages,
      tools: choice.tools,
      toolPaths: declaredTools.pathsOf(choice.tools),
      parameters: { ...parameters, ...stops, ...(choice.tool_choice && { tool_choice: choice.tool_choice }) },
      parameterPaths: {
        max_tokens: ['max_completion_tokens', 'max_tokens'].find((name) => whole[name] != null),
        stop_sequences: 'stop',
        'tool_choice.disable_parallel_tool_use': 'parallel_tool_calls',
      },
      betas,
      thinkingPath: 'reasoning_effort',
      stream: parsed.stream === true,
      ignored,
      converted: [...declared.converted, ...checked.converted],
      unknown: [],
      ...(parsed.user ? { userId: parsed.user } : {}),
    },
    customTools: new Set(declaredTools.all.flatMap(({ tool, isCustom }) => (isCustom ? [tool.name] : []))),
    includesUsage: parsed.stream_options?.include_usage === true,
  };
}

/** The schema that an answer is held to. */
function askedFormat(format: ChatBody['response_format']): AskedParameters['format'] {
  if (format == null || format.type === 'text') return undefined;
  if (format.type === 'json_object') return { isAnyJson: true, path: 'response_format' };
  if (format.json_schema == null) throw badRequest('response_format.json_schema', 'Field required');
  return { schema: format.json_schema.schema, path: 'response_format.json_schema.schema' };
}

function decodeStop(stop: ChatBody['stop'], { ignored }: Declared): JsonObject {
  const isBlank = (text: string) => text.trim() === '';
  const given = typeof stop === 'string' ? [stop] : (stop ?? []);
  for (const [at, text] of given.entries()) {
    if (text !== '' && isBlank(text)) ignored.push(typeof stop === 'string' ? 'stop' : `stop.${at}`);
  }
  const stops = given.filter((text) => !isBlank(text));
  return stops.length > 0 ? { stop_sequences: stops } : {};
}

/** The tools that the client runs. */
function decodeTools(declarations: readonly JsonObject[], { ignored, converted }: Declared): DeclaredTools {
  const tools = new DeclaredTools();
  for (const [at, declaration] of declarations.entries()) {
    const path = `tools.${at}`;
    const declared = declaredTool(declaration, path, converted);
    if (declared === undefined) ignored.push(path);
    else tools.add(path, declared);
  }
  return tools;
}

/** A message with its index in the client's body. */
interface Placed {
  at: number;
  given: ChatMessage;
}

/** The leading run of instructions is the system prompt. */
function splitSystem(messages: readonly ChatMessage[], declared: Declared): { system: string; rest: Placed[] } {
  const placed = messages.map((given, at) => ({ at, given }));
  const end = placed.findIndex(({ given }) => !isInstruction(given));
  const rest = end < 0 ? [] : placed.slice(end);
  const texts = placed.slice(0, placed.length - rest.length).flatMap(({ at, given }) => {
    const path = `messages.${at}`;
    return placedBlocks(given.content, `${path}.content`, declared).map((placed) => textOf(placed, 'an instruction'));
  });
  return { system: texts.join('\n\n'), rest };
}

function isInstruction({ role }: ChatMessage): boolean {
  return role === 'system' || role === 'developer';
}

/** The turns of the conversation: what stands between two answers of the assistant is one turn of the user, its results first. */
function decodeMessages(placed: readonly Placed[], declared: Declared): DecodedMessage[] {
  const decoded: DecodedMessage[] = [];
  let calls: OpenCall[] = [];
  let gap: Placed[] = [];
  const closeGap = () => {
    const items = gap.map((item) => betweenAnswers(item, declared));
    for (const item of turnOfUser(items, calls, PAIR_WORDS, declared)) decoded.push(item);
    gap = [];
    calls = [];
  };
  for (const item of placed) {
    const { given } = item;
    if (given.role !== 'assistant') {
      gap.push(item);
      continue;
    }
    const continues = gap.length === 0 && decoded.at(-1)?.role === 'assistant';
    if (!continues) closeGap();
    const { message: said, calls: made } = decodeAssistant(item, declared);
    decoded.push(said);
    calls = [...calls, ...made];
  }
  closeGap();
  return decoded;
}

function decodeAssistant({ at, given }: Placed, declared: Declared): { message: DecodedMessage; calls: OpenCall[] } {
  const path = `messages.${at}`;
  if (given.function_call != null) throw unsupported(`${path}.function_call`, 'is the old form; use `tool_calls`');
  const made = given.tool_calls ?? [];
  const said = placedBlocks(given.content, `${path}.content`, declared);
  if (given.refusal != null && given.refusal !== '')
    said.push({ block: { type: 'text', text: given.refusal }, path: `${path}.refusal` });
  const isSaid = (placed: PlacedBlock) => textOf(placed, 'an assistant message').trim() !== '';
  const thought = thinkingOfDetails(given.reasoning_details).map((block) => ({
    block,
    path: `${path}.reasoning_details`,
  }));
  const blocks = [
    ...thought,
    // Clients write blank text beside calls, where the API takes none.
    ...said.filter((placed) => isSaid(placed) || made.length === 0),
    ...made.map((one, index) => ({
      block: blockOfCall(one, `${path}.tool_calls.${index}`, declared),
      path: `${path}.tool_calls.${index}`,
    })),
  ];
  const paths = new PlacedPaths(
    path,
    blocks.map((placed) => placed.path),
    `${path}.content`,
  );
  return {
    message: { role: 'assistant', content: blocks.map(({ block }) => block), paths },
    calls: made.map(({ id }, index) => ({ id, path: `${path}.tool_calls.${index}` })),
  };
}

function blockOfCall(
  { id, function: called, custom }: z.infer<typeof call>,
  path: string,
  declared: Declared,
): ContentBlock {
  if (custom != null)
    return { type: 'tool_use', id: modelCallId(id), name: custom.name, input: { input: custom.input } };
  if (called == null) throw badRequest(`${path}.function`, 'Field required');
  const { input, isWhole } = inputOfArguments(called.arguments ?? '');
  if (!isWhole) declared.converted.push(`${path}.function.arguments`);
  return { type: 'tool_use', id: modelCallId(id), name: called.name, input };
}

const PAIR_WORDS: PairWords = {
  unknownCall: (id) => `No tool call found for function call output with call_id ${id}.`,
  withoutResult: (ids) =>
    `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${ids.join(', ')}`,
};

function betweenAnswers({ at, given }: Placed, declared: Declared): BetweenAnswers {
  const path = `messages.${at}`;
  const contentPath = `${path}.content`;
  const content = placedBlocks(given.content, contentPath, declared);
  if (given.role !== 'tool')
    return { kind: 'words', role: isInstruction(given) ? 'system' : 'user', path, contentPath, content };
  const idPath = `${path}.tool_call_id`;
  if (given.tool_call_id == null) throw badRequest(idPath, 'Field required');
  return { kind: 'result', id: given.tool_call_id, path, idPath, content };
}
