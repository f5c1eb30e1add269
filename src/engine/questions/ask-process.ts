import { type Query, query, type SDKUserMessage } from '@anthropic-ai/claude-agent-sdk';
import { EventQueue } from '../../async/event-queue.ts';
import type { Child } from '../process/child.ts';
import type { ProcessMaker } from '../process/process-maker.ts';

/** How long a process that is asked to end may take, in milliseconds. */
const GENTLE_END_MS = 2_000;

/** A process without a prompt, which answers questions and calls no model. */
export interface AskedProcess {
  query: Query;
  /** What it gets without being asked for an answer. */
  input: EventQueue<SDKUserMessage>;
  child: Child;
  /** A kill early in its life would leave a lock in the user's configuration, so it is asked first. */
  end(): void;
}

export function spawnToAsk(maker: ProcessMaker): AskedProcess {
  const made = maker.create();
  const input = new EventQueue<SDKUserMessage>();
  const asked = query({ prompt: input, options: maker.options(made, maker.profile(made)) });
  return {
    query: asked,
    input,
    child: made.child,
    end() {
      asked.close();
      setTimeout(() => made.child.end(), GENTLE_END_MS).unref();
    },
  };
}
