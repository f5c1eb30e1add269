import type { DecodedMessage } from '../../conversation/check-messages.ts';
import { badRequest } from '../../spec/failures.ts';
import { modelCallId } from './call-ids.ts';
import { type PlacedBlock, textOf } from './content-parts.ts';
import { PlacedPaths } from './placed-paths.ts';

/** A call that waits for its result. */
export interface OpenCall {
  /** As the client has it. */
  id: string;
  path: string;
}

/** Something that stands between two answers of the assistant. */
export type BetweenAnswers =
  | { kind: 'words'; role: 'system' | 'user'; path: string; contentPath: string; content: readonly PlacedBlock[] }
  | { kind: 'result'; id: string; path: string; idPath: string; content: readonly PlacedBlock[] };

/** How an API says that calls and results do not match. */
export interface PairWords {
  unknownCall(id: string): string;
  withoutResult(ids: readonly string[]): string;
}

/**
 * The turn of the user between two answers: its results first, in the order of the calls, since OpenAI gives their order no meaning.
 *
 * @param calls of the answer before, each of which needs its result
 * @throws FailureError `bad_request` for a call without a result, and the other way round
 */
export function turnOfUser(
  items: readonly BetweenAnswers[],
  calls: readonly OpenCall[],
  words: PairWords,
  declared: { ignored: string[]; converted: string[] },
): DecodedMessage[] {
  const results = new Map<string, PlacedBlock>();
  const others: DecodedMessage[] = [];
  for (const item of items) {
    const { path, content } = item;
    const blocks = content.map(({ block }) => block);
    if (item.kind === 'words') {
      if (blocks.length === 0) {
        declared.ignored.push(path);
        continue;
      }
      if (item.role === 'system') for (const placed of content) textOf(placed, 'an instruction');
      const places = content.map((placed) => placed.path);
      others.push({ role: item.role, content: blocks, paths: new PlacedPaths(path, places, item.contentPath) });
      continue;
    }
    const { id, idPath } = item;
    if (!calls.some((open) => open.id === id)) throw badRequest(idPath, words.unknownCall(id));
    if (results.has(id)) throw badRequest(idPath, `The tool call ${id} has a result already.`);
    if (others.length > 0) declared.converted.push(path);
    results.set(id, { block: { type: 'tool_result', tool_use_id: modelCallId(id), content: blocks }, path });
  }
  const missing = calls.filter(({ id }) => !results.has(id));
  if (missing[0] !== undefined) throw badRequest(missing[0].path, words.withoutResult(missing.map(({ id }) => id)));
  const ordered = calls.flatMap(({ id }) => results.get(id) ?? []);
  if (ordered[0] === undefined) return others;
  const paths = new PlacedPaths(
    ordered[0].path,
    ordered.map(({ path }) => path),
  );
  return [{ role: 'user', content: ordered.map(({ block }) => block), paths }, ...others];
}
