import type { TurnEvent } from '../../spec/turn-events.ts';

/** Whether a limit of tokens ended an answer. */
export function isAtLimit(stop_reason: string | null): boolean {
  return stop_reason === 'max_tokens' || stop_reason === 'model_context_window_exceeded';
}

/** Whether the last call of an answer may lack a part of its input. */
export function breaksOff(stop_reason: string | null): boolean {
  return isAtLimit(stop_reason) || stop_reason === 'refusal';
}

/** What came of the input of an answer's last block: an answer does not have it where it is no JSON. */
export class LastInput {
  json = '';

  hear(event: TurnEvent): void {
    if (event.type === 'content_block_start') this.json = '';
    if (event.type === 'content_block_delta' && event.delta.type === 'input_json_delta')
      this.json += String(event.delta.partial_json ?? '');
  }
}
