import { stepsBody } from '../../spec/steps-body.ts';
import type { HiddenSteps, TurnEvent } from '../../spec/turn-events.ts';
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
        return event.hidden ? `${stepsFrame(event.hidden)}${STOP}` : STOP;
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

/** What an agent did. Clients refuse an event that the API does not have, and pay a ping no heed. */
function stepsFrame({ steps, isKept }: HiddenSteps): string {
  return sseFrame('ping', { type: 'ping', isthmus_agent: { ...stepsBody(steps), kept: isKept ?? false } });
}

const STOP = sseFrame('message_stop', { type: 'message_stop' });
const PING = sseFrame('ping', { type: 'ping' });
