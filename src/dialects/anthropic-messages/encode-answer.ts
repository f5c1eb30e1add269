import type { TurnEvent } from '../../spec/turn-events.ts';
import type { AnswerEncoder } from '../dialect.ts';
import { sseFrame } from '../sse/frame.ts';
import { errorBody } from './encode-error.ts';

/** The API's own stream: what the model sent, event for event. */
export class StreamEncoder implements AnswerEncoder {
  readonly #requestId: string;

  constructor(requestId: string) {
    this.#requestId = requestId;
  }

  encode(event: TurnEvent): string {
    switch (event.type) {
      case 'message_stop':
        return STOP;
      case 'failure':
        return sseFrame('error', errorBody(event.failure, this.#requestId));
      default:
        return sseFrame(event.type, event);
    }
  }

  keepAlive(): string {
    return PING;
  }
}

/** One JSON body: the message in the turn's last event. */
export const wholeEncoder: AnswerEncoder = {
  encode: (event) => (event.type === 'message_stop' ? JSON.stringify(event.answer) : ''),
  keepAlive: () => '',
};

const STOP = sseFrame('message_stop', { type: 'message_stop' });
const PING = sseFrame('ping', { type: 'ping' });
