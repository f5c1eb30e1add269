import type { TurnRecorder, TurnUnderWay } from './turn-recorder.ts';

/** The most turns that are listed one by one. */
const MOST_LISTED = 100;

/** What `GET /inflight` shows. */
export interface InflightBody {
  turns: number;
  /** How many are in each state that any is in. */
  states: Partial<Record<TurnUnderWay['state'], number>>;
  /** The oldest ones, the oldest first. */
  list: TurnUnderWay[];
  /** How many are not listed. */
  unlisted: number;
}

/** The turns that are not over yet. */
export class TurnsUnderWay {
  /** In the order of their arrival. */
  readonly #recorders = new Set<TurnRecorder>();

  begin(recorder: TurnRecorder): void {
    this.#recorders.add(recorder);
  }

  end(recorder: TurnRecorder): void {
    this.#recorders.delete(recorder);
  }

  /** @param now `performance.now()` */
  body(now: number): InflightBody {
    const all = [...this.#recorders].map((recorder) => recorder.underWay(now));
    const states: InflightBody['states'] = {};
    for (const { state } of all) states[state] = (states[state] ?? 0) + 1;
    const list = all.slice(0, MOST_LISTED);
    return { turns: all.length, states, list, unlisted: all.length - list.length };
  }
}
