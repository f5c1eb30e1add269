import { badRequest, failed } from '../../spec/failures.ts';
import type { JsonObject } from '../../spec/messages.ts';
import { REQUIRED } from '../body/shapes.ts';
import type { AnswerMemory } from '../dialect.ts';

/** An item of the input, and where it stands in the client's body. */
export interface PlacedItem {
  given: unknown;
  path: string;
  /** Of the content of a message; by default below the item. */
  contentPath?: string;
}

/** What is kept of an answer under its id. */
interface KeptAnswer {
  /** The answer before it. */
  previous: string | undefined;
  input: readonly unknown[];
  output: readonly JsonObject[];
}

/** What is kept of an answer. */
export interface AnswerToKeep extends KeptAnswer {
  id: string;
  /** The size of its request. */
  inputBytes: number;
}

/** Keeps an answer under its id, and each of its items under theirs. */
export function keepAnswer(memory: AnswerMemory, { id, inputBytes, ...kept }: AnswerToKeep): void {
  for (const item of kept.output) memory.put(String(item.id), { item }, JSON.stringify(item).length);
  memory.put(id, kept, inputBytes);
}

/**
 * The items of an input, with those that it refers to in their places.
 *
 * @throws FailureError `not_kept` for what is gone
 */
export function referredItems(input: readonly unknown[], memory: AnswerMemory): PlacedItem[] {
  return input.map((given, at): PlacedItem => {
    const path = `input.${at}`;
    const item = (given ?? {}) as JsonObject;
    return { given: isReference(item) ? referredItem(item.id, `${path}.id`, memory) : given, path };
  });
}

/** A reference may leave its type away; so may a message, which has a role. */
function isReference({ type, id, role }: JsonObject): boolean {
  return type === 'item_reference' || (type == null && id !== undefined && role === undefined);
}

function referredItem(id: unknown, path: string, memory: AnswerMemory): JsonObject {
  if (typeof id !== 'string') throw badRequest(path, id === undefined ? REQUIRED : 'must be a string');
  const kept = memory.get(id) as { item?: JsonObject } | undefined;
  if (kept?.item === undefined) throw failed('not_kept', { path, what: `Item with id '${id}'` });
  return kept.item;
}

/** Where the items of earlier requests and answers stand in the client's body. */
const EARLIER = 'previous_response_id';

/** Whether a path is of the request itself, and not of what {@link earlierItems} brought. */
export function isOfThisRequest(path: string): boolean {
  return path !== EARLIER && !path.startsWith(`${EARLIER}.`);
}

/**
 * The items of the conversation up to an answer.
 *
 * @throws FailureError `not_kept` if one of its answers is gone
 */
export function earlierItems(previous: string | undefined, memory: AnswerMemory): PlacedItem[] {
  const path = EARLIER;
  const answers: KeptAnswer[] = [];
  for (let id = previous; id !== undefined; ) {
    const kept = memory.get(id) as Partial<KeptAnswer> | undefined;
    if (kept?.input === undefined || kept.output === undefined)
      throw failed('not_kept', { path, what: `Previous response with id '${previous}'` });
    answers.push({ previous: kept.previous, input: kept.input, output: kept.output });
    id = kept.previous;
  }
  return answers.reverse().flatMap(({ input, output }) => [...input, ...output].map((given) => ({ given, path })));
}
