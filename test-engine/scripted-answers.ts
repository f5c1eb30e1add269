import { setTimeout as sleep } from 'node:timers/promises';
import { type Script, ScriptReader } from '../scripted-model/script.ts';
import type { ModelCall, Play } from './play.ts';
import { type EngineReply, playReply, type Wait } from './reply.ts';

export type EngineScript = Script<EngineReply>;

/** The same for every call: no test counts them. */
const USAGE = { input_tokens: 100, output_tokens: 7, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };

/**
 * Answers by a script, with the ids that the scripted model would give, and records each call.
 *
 *     const answers = new ScriptedAnswers([{ replies: [{ content: [{ type: 'text', text: 'Hello.' }] }] }]);
 *     const engine = new TestEngine({ answer: answers.answer });
 */
export class ScriptedAnswers {
  /** Every call of the model, in order. */
  readonly calls: ModelCall[] = [];
  #reader: ScriptReader<EngineReply>;
  #messageNumber = 0;
  #toolUseNumber = 0;
  readonly #wait: Wait;

  /** @param wait waits for the times of the replies; by default by the clock */
  constructor(script: EngineScript = [], wait: Wait = byTheClock) {
    this.#reader = new ScriptReader(script);
    this.#wait = wait;
  }

  /** Replaces the script; answers under way keep theirs. */
  use(script: EngineScript): void {
    this.#reader = new ScriptReader(script);
  }

  readonly answer = (call: ModelCall): Play => {
    this.calls.push(call);
    const identity = {
      id: `msg_scripted_${++this.#messageNumber}`,
      model: call.model,
      usage: USAGE,
      toolUseId: () => `toolu_scripted_${++this.#toolUseNumber}`,
    };
    return playReply(this.#reader.replyTo(call), identity, call.tools, this.#wait);
  };
}

async function byTheClock(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
}
