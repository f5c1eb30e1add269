import fc from 'fast-check';
import { AnswerFold } from '../../src/engine/turn/answer-fold.ts';
import { failure } from '../../src/spec/failures.ts';
import type { AnswerMessage } from '../../src/spec/messages.ts';
import type { TurnEvent } from '../../src/spec/turn-events.ts';
import { type GeneratedTurn, generatedTurn } from './generated-turns.ts';

/**
 * Turns of a model that keeps no order: blocks that do not end, end twice or begin within others, deltas that say nothing, come
 * again, in another order, or belong to no block. What the engine promises stays: one beginning, and one end that has the fold of
 * what came.
 */
export const damagedTurn: fc.Arbitrary<Pick<GeneratedTurn, 'events' | 'silences'>> = fc
  .record({
    turn: generatedTurn,
    damages: fc.array(
      fc.record({ kind: fc.constantFrom('drop', 'repeat', 'swap', 'empty', 'foreign'), at: fc.nat(1_000) }),
      { minLength: 1, maxLength: 6 },
    ),
    silences: fc.array(fc.nat(30), { maxLength: 3 }),
  })
  .map(({ turn, damages, silences }) => {
    const [start, ...rest] = turn.events;
    if (start?.type !== 'message_start') return { events: turn.events, silences: new Set(silences) };
    const last = rest.pop();
    const middle = damages.reduce<TurnEvent[]>((events, { kind, at }) => damage(events, kind, at), rest);
    const fold = new AnswerFold();
    for (const event of [start, ...middle])
      if (event.type !== 'message_stop' && event.type !== 'failure') fold.add(event);
    const { message } = fold;
    const end: TurnEvent =
      last?.type === 'failure' || message?.stop_reason == null
        ? { type: 'failure', failure: failure('upstream_cut', { how: 'stream' }) }
        : { type: 'message_stop', answer: message as AnswerMessage };
    return { events: [start, ...middle, end], silences: new Set(silences) };
  });

function damage(events: readonly TurnEvent[], kind: string, pick: number): TurnEvent[] {
  const at = pick % Math.max(events.length, 1);
  const event = events[at];
  if (event === undefined) return [...events];
  switch (kind) {
    case 'drop':
      return events.toSpliced(at, 1);
    case 'repeat':
      return events.toSpliced(at, 0, event);
    case 'swap':
      return events.toSpliced(at, 2, ...[events[at + 1] ?? [], event].flat());
    case 'empty':
      return events.toSpliced(at, 0, ...emptied(event));
    default:
      return events.toSpliced(at, 0, FOREIGN[pick % FOREIGN.length] as TurnEvent);
  }
}

/** The same delta with nothing in it. */
function emptied(event: TurnEvent): TurnEvent[] {
  if (event.type !== 'content_block_delta') return [];
  const texts = Object.entries(event.delta).map(([key, value]) => [key, key === 'type' ? value : '']);
  return [{ ...event, delta: Object.fromEntries(texts) }];
}

/** Events that belong to no block, or to one of another type. */
const FOREIGN: readonly TurnEvent[] = [
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'foreign' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'foreign' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'foreign' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: '{"a":' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'later_delta', later: 'x' } },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: 'begun' } },
  { type: 'content_block_start', index: 0, content_block: { type: 'later_block' } },
  { type: 'content_block_stop', index: 0 },
];
