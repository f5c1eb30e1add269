import type { JsonObject } from '../../src/spec/messages.ts';
import { ResponsesGrammar } from './responses-grammar.ts';

/** What a client of OpenAI makes of a stream of response events. */
export interface FoldedResponse {
  /** Each event's type, with what tells it apart: `output_item.added message`, `output_text.delta A`. */
  events: string[];
  /** The items as they were done. */
  items: JsonObject[];
  /** The answer of the last event. */
  response: JsonObject;
}

/**
 * Holds a whole stream against the grammar, and puts it together.
 *
 * @throws UngrammaticalStream
 */
export function foldResponses(stream: string): FoldedResponse {
  const grammar = new ResponsesGrammar();
  grammar.write(new TextEncoder().encode(stream));
  const { response } = grammar.end();
  return { events: grammar.events.map(nameOf), items: grammar.items, response };
}

function nameOf({ type, item, delta }: JsonObject): string {
  const detail =
    (item as JsonObject | undefined)?.type ?? (String(type).endsWith('output_text.delta') ? delta : undefined);
  const short = String(type).replace(/^response\.(?=.*[._](?:added|delta|done)$)/, '');
  return detail === undefined ? short : `${short} ${detail}`;
}
