import { z } from 'zod';
import { checkMessages, type DecodedMessage } from '../../conversation/check-messages.ts';
import { badRequest, failed } from '../../spec/failures.ts';
import type { ContentBlock, JsonObject, MessagesRequest } from '../../spec/messages.ts';
import { jsonObject, listOf, parse, REQUIRED, tooManyFields } from '../body/shapes.ts';
import { assertWellFormed } from '../body/well-formed.ts';
import type { AnswerMemory, WireRequest } from '../dialect.ts';
import { type PlacedBlock, textOf } from '../openai/content-parts.ts';
import { ignoredFields } from '../openai/field-table.ts';
import { requestedModel } from '../openai/model-request.ts';
import { PlacedPaths } from '../openai/placed-paths.ts';
import { EFFORTS } from '../openai/thinking.ts';
import { chooseTools } from '../openai/tool-choice.ts';
import { type AskedParameters, turnParameters } from '../openai/turn-parameters.ts';
import { type BetweenAnswers, type OpenCall, type PairWords, turnOfUser } from '../openai/user-turn.ts';
import { mendBrokenAnswers } from './broken-off-answer.ts';
import { type AnswerToKeep, earlierItems, isOfThisRequest, type PlacedItem, referredItems } from './earlier-answers.ts';
import { readItem } from './input-items.ts';
import type { ToolName } from './output-items.ts';
import { requestEcho } from './request-echo.ts';
import { responseTools } from './response-tools.ts';
import { RESPONSES_FIELDS } from './responses-contract.ts';

/** The most items of one request: those of as many messages as the Messages API's dialect takes. */
const MOST_ITEMS = 20_000;

const body = z.looseObject({
  instructions: z.string().nullish(),
  previous_response_id: z.string().nullish(),
  store: z.boolean().nullish(),
  tools: listOf(jsonObject).nullish(),
  stream: z.boolean().nullish(),
  max_output_tokens: z.int().min(1).nullish(),
  reasoning: z.looseObject({ effort: z.enum(EFFORTS, `must be one of ${EFFORTS.join(', ')}`).nullish() }).nullish(),
  text: z
    .looseObject({
      format: z
        .looseObject({
          type: z.enum(['text', 'json_object', 'json_schema'], 'must be `text`, `json_object` or `json_schema`'),
          schema: jsonObject.nullish(),
        })
        .nullish(),
      verbosity: z.string().nullish(),
    })
    .nullish(),
  include: z.array(z.string(), 'must be a list of strings').nullish(),
  user: z.string().nullish(),
});
type ResponsesBody = z.infer<typeof body>;

/** A decoded request for a response. */
export interface DecodedResponses {
  request: MessagesRequest;
  /** The names that the client has for its tools, by those that the model has. */
  tools: ReadonlyMap<string, ToolName>;
  /** The fields that the answer repeats. */
  echo: JsonObject;
  /** What is to be kept beside the answer's items; undefined where the client wants nothing kept. */
  toKeep: Pick<AnswerToKeep, 'previous' | 'input' | 'inputBytes'> | undefined;
}

/** What became of the request otherwise than its client may think. */
interface Declared {
  ignored: string[];
  converted: string[];
}

/**
 * Decodes and checks the body of `POST /v1/responses` by `responses-contract.ts`.
 *
 * @throws FailureError `bad_request`, its message beginning with the path of the field; `model_not_mapped`; `not_kept`;
 * `field_ignored`
 */
export function decodeResponses(wire: WireRequest): DecodedResponses {
  const { body: given, bytes, strict, mayHoldLoneSurrogates, passesBeta, memory } = wire;
  const crowded = tooManyFields(given);
  if (crowded) throw badRequest('', `The body ${crowded}.`);
  const whole = parse(jsonObject, given, '');
  const named = requestedModel(whole.model, wire);
  const { model } = named;
  // The model's rules go by what it is.
  const modelId = wire.idOf(model);
  const declared: Declared = { ignored: ignoredFields(whole, RESPONSES_FIELDS), converted: [] };
  const parsed = parse(body, given, '');
  if (mayHoldLoneSurrogates) assertWellFormed(given, '');
  const previous = parsed.previous_response_id ?? undefined;
  const own = placedInput(whole.input, previous !== undefined, memory);
  const { system, messages, additional } = decodeItems([...earlierItems(previous, memory), ...own], model, declared);
  const tools = responseTools([{ tools: parsed.tools ?? [], path: 'tools' }, ...additional], declared);
  const choice = chooseTools({
    model: modelId,
    choice: whole.tool_choice,
    isParallel: whole.parallel_tool_calls,
    tools: tools.all.map(({ tool }) => tool),
  });
  declared.ignored.push(...choice.ignored, ...ignoredParts(parsed));
  const thinking = askedThinking(parsed.reasoning);
  const { parameters, betas } = turnParameters(
    {
      model: modelId,
      maxTokens: parsed.max_output_tokens,
      thinking,
      isForced: choice.isForced,
      temperature: whole.temperature,
      top_p: whole.top_p,
      format: askedFormat(parsed.text),
      passesBeta,
    },
    declared,
  );
  const brokenOff = mendBrokenAnswers(messages, modelId);
  const checked = checkMessages(messages, 'input', model);
  // What became of an earlier request was told with it.
  const ignored = [...declared.ignored, ...checked.ignored].filter(isOfThisRequest);
  if (strict && ignored.length > 0) throw failed('field_ignored', { ignored });
  const instructions = parsed.instructions ? [parsed.instructions] : [];
  return {
    request: {
      ...named,
      system: [...instructions, ...system].join('\n\n'),
      messages: checked.messages,
      tools: choice.tools,
      toolPaths: tools.pathsOf(choice.tools),
      parameters: { ...parameters, ...(choice.tool_choice && { tool_choice: choice.tool_choice }) },
      parameterPaths: {
        max_tokens: parsed.max_output_tokens == null ? undefined : 'max_output_tokens',
        'tool_choice.disable_parallel_tool_use': 'parallel_tool_calls',
      },
      betas,
      ...(thinking && { thinkingPath: thinking.path }),
      stream: parsed.stream === true,
      ignored: [...ignored, ...brokenOff.filter(isOfThisRequest)],
      converted: [...declared.converted, ...checked.converted].filter(isOfThisRequest),
      unknown: [],
      ...(parsed.user ? { userId: parsed.user } : {}),
    },
    tools: new Map(tools.all.map(({ tool, name }) => [tool.name, name])),
    echo: requestEcho(whole, parameters),
    toKeep: parsed.store === false ? undefined : { previous, input: own.map((item) => item.given), inputBytes: bytes },
  };
}

/** @param mayBeAbsent an answer before it is input, too */
function placedInput(input: unknown, mayBeAbsent: boolean, memory: AnswerMemory): PlacedItem[] {
  if (typeof input === 'string') {
    return [{ given: { role: 'user', content: input }, path: 'input', contentPath: 'input' }];
  }
  if (input == null && mayBeAbsent) return [];
  if (!Array.isArray(input))
    throw badRequest('input', input == null ? REQUIRED : 'must be a string or a list of items');
  if (input.length > MOST_ITEMS)
    throw badRequest('input', `must have at most ${MOST_ITEMS.toLocaleString('en')} items`);
  return referredItems(input, memory);
}

/** Parts of fields that are not acted on. */
function ignoredParts({ text, include }: ResponsesBody): string[] {
  return [
    ...(text?.verbosity == null || text.verbosity === 'medium' ? [] : ['text.verbosity']),
    ...(include ?? []).flatMap((value, at) => (value === 'reasoning.encrypted_content' ? [] : [`include.${at}`])),
  ];
}

function askedThinking(reasoning: ResponsesBody['reasoning']): AskedParameters['thinking'] {
  if (reasoning == null) return undefined;
  const { effort } = reasoning;
  return effort == null ? { effort: undefined, path: 'reasoning' } : { effort, path: 'reasoning.effort' };
}

function askedFormat(text: ResponsesBody['text']): AskedParameters['format'] {
  const format = text?.format;
  if (format == null || format.type === 'text') return undefined;
  if (format.type === 'json_object') return { isAnyJson: true, path: 'text.format' };
  if (format.schema == null) throw badRequest('text.format.schema', REQUIRED);
  return { schema: format.schema, path: 'text.format.schema' };
}

const PAIR_WORDS: PairWords = {
  unknownCall: (id) => `No tool call found for function call output with call_id ${id}.`,
  withoutResult: ([id]) => `No tool output found for function call ${id}.`,
};

/** What the items of an input are together. */
interface DecodedItems {
  /** The leading instructions. */
  system: string[];
  messages: DecodedMessage[];
  additional: Array<{ tools: JsonObject[]; path: string }>;
}

/** What stands between two turns of the user is one answer, and the other way round. */
function decodeItems(items: readonly PlacedItem[], model: string, declared: Declared): DecodedItems {
  const decoded: DecodedItems = { system: [], messages: [], additional: [] };
  const { system, messages, additional } = decoded;
  let answer: { path: string; blocks: PlacedBlock[] } | undefined;
  let calls: OpenCall[] = [];
  let between: BetweenAnswers[] = [];
  const closeAnswer = () => {
    if (answer) messages.push(answerMessage(answer));
    answer = undefined;
  };
  const closeTurn = () => {
    for (const message of turnOfUser(between, calls, PAIR_WORDS, declared)) messages.push(message);
    between = [];
    calls = [];
  };
  const leftOut = new Set<unknown>();
  let hasBegun = false;
  for (const placed of items) {
    const { path } = placed;
    const item = readItem(placed, model, declared);
    switch (item.kind) {
      case 'nothing':
        leftOut.add(item.call);
        break;
      case 'tools':
        additional.push(item);
        break;
      case 'said':
        hasBegun = true;
        if (answer === undefined) closeTurn();
        answer ??= { path, blocks: [] };
        answer.blocks.push(...item.blocks);
        if (item.call) calls.push(item.call);
        break;
      default:
        if (item.kind === 'result' && leftOut.has(item.id) && !calls.some(({ id }) => id === item.id)) {
          declared.ignored.push(item.path);
          break;
        }
        if (item.kind === 'words' && item.role === 'system' && !hasBegun) {
          for (const block of item.content) system.push(textOf(block, 'an instruction'));
          break;
        }
        hasBegun = true;
        closeAnswer();
        between.push(item);
    }
  }
  closeAnswer();
  closeTurn();
  return decoded;
}

function answerMessage({ path, blocks }: { path: string; blocks: readonly PlacedBlock[] }): DecodedMessage {
  const paths = new PlacedPaths(
    path,
    blocks.map((placed) => placed.path),
  );
  return { role: 'assistant', content: blocks.map(({ block }): ContentBlock => block), paths };
}
