import { randomUUID } from 'node:crypto';
import type { SDKMessage, SessionStoreEntry } from '@anthropic-ai/claude-agent-sdk';
import type { Agent } from '../../spec/agent.ts';
import { behindTools, type Failure } from '../../spec/failures.ts';
import type { ContentBlock, JsonObject } from '../../spec/messages.ts';
import { toEntry } from '../replay/transcript.ts';
import type { AnswerFold, RawEvent } from '../turn/answer-fold.ts';
import type { AnswerStrategy, TurnEnd, TurnView } from '../turn/answer-strategy.ts';
import { AgentSteps } from './agent-steps.ts';
import { NAMES } from './agent-transcript.ts';
import { type Entry, hasMessage, isKept, toExpansion, withoutOpenCalls } from './expansion.ts';
import { ShownAnswer } from './shown-answer.ts';
import { Spending } from './spending.ts';

/** No call of the model is to come behind an answer that says so. */
const NO_TOOLS: ReadonlySet<string> = new Set();

/** What Claude Code says of a server of tools that does not work. */
const FAILING: ReadonlySet<string> = new Set(['failed', 'needs-auth']);

/** The stop reason of a turn that a limit has ended: as any answer that was cut by a limit, it may be gone on with. */
const CUT_BY_LIMIT = 'max_tokens';

/**
 * For agents: the SDK runs the tools, and all answers until its result are one turn.
 *
 * @param known the uuids of the entries that the process has begun with
 * @param onServers hears at the beginning of a turn which servers of tools do not work
 */
export function agentAnswers(
  agent: Agent,
  known: ReadonlySet<string>,
  onServers: (failing: string[]) => void = () => undefined,
): AnswerStrategy & { timeOut: () => void } {
  const kept = new Set(known);
  const spending = new Spending();
  let turn: AgentTurn | undefined;
  return {
    furtherAnswer: 'follows',
    result: 'completes',
    // The CLI answers each call by itself, also a wrong one.
    mustEndAfter: (answer) => answer.message?.stop_reason !== 'tool_use' && answer.wouldGoOn(NO_TOOLS),
    view: () => {
      turn = new AgentTurn(agent, kept, spending, onServers);
      return turn;
    },
    timeOut: () => turn?.timeOut(),
  };
}

function isOf(entry: Entry, { message }: AnswerFold): boolean {
  return hasMessage(entry) && entry.message.id === message?.id;
}

/** One turn of an agent: what its client sees, what it does not, and what a replay needs of it. */
class AgentTurn implements TurnView {
  readonly #agent: Agent;
  readonly #shown = new ShownAnswer();
  readonly #steps: AgentSteps;
  readonly #known: Set<string>;
  readonly #spending: Spending;
  readonly #onServers: (failing: string[]) => void;
  #entries: Entry[] = [];
  /** The limit that ends the turn. */
  #limit: string | undefined;
  /** What subagents have used in this turn, as far as it is told. */
  #subagentUsage: JsonObject | undefined;

  constructor(agent: Agent, known: Set<string>, spending: Spending, onServers: (failing: string[]) => void) {
    this.#agent = agent;
    this.#known = known;
    this.#spending = spending;
    this.#onServers = onServers;
    this.#steps = new AgentSteps(agent.workspace);
  }

  show(event: RawEvent): RawEvent[] {
    return this.#shown.show(event);
  }

  hear(message: SDKMessage): RawEvent[] {
    if (message.type === 'result') {
      this.#limit = this.#limitIn(message.subtype);
      const usage = this.#spending.ofSubagents(message, this.#shown.usage);
      if (this.#steps.hasSubagents) this.#subagentUsage = usage;
    }
    if (message.type === 'system' && message.subtype === 'init') {
      this.#onServers((message.mcp_servers ?? []).filter(({ status }) => FAILING.has(status)).map(({ name }) => name));
    }
    const begun = this.#steps.hear(message);
    if (!this.#agent.showSteps) return [];
    return begun.flatMap(({ tool, about }) => this.#shown.say(`→ ${tool} ${about}`.trimEnd()));
  }

  keep(entries: readonly SessionStoreEntry[]): void {
    for (const entry of entries) {
      if (!isKept(entry) || this.#known.has(entry.uuid)) continue;
      this.#known.add(entry.uuid);
      this.#entries.push(entry);
    }
  }

  /** The time of the turn is over. */
  timeOut(): void {
    this.#limit = `${this.#agent.maxSeconds} seconds for one turn`;
  }

  end(last: AnswerFold, isCut: boolean): TurnEnd | undefined {
    const said: RawEvent[] = [];
    const close = (words: string) => {
      said.push(...this.#shown.say(words));
      return [{ type: 'text', text: words }];
    };
    const shownLast = (last.message?.content ?? []).filter(({ type, text }) => type === 'text' && text !== '');
    if (this.#limit !== undefined) {
      const done = withoutOpenCalls(this.#entries);
      const isWhole = last.message?.stop_reason != null && done.some((entry) => isOf(entry, last));
      this.#entries = isWhole ? done : done.filter((entry) => !isOf(entry, last));
      const words = close(`Stopped by the limit of ${this.#limit}. Say “go on” to continue.`);
      this.#add([...(isWhole ? [] : shownLast), ...words]);
    } else if (isCut) {
      // The process has ended before it could tell all of this answer.
      this.#entries = this.#entries.filter((entry) => !isOf(entry, last));
      const words = `The answer ended without words (${last.message?.stop_reason}).`;
      this.#add(shownLast.length > 0 ? shownLast : close(words));
    }
    const usage = this.#subagentUsage;
    const events = [...said, ...this.#shown.end(this.#limit === undefined ? undefined : CUT_BY_LIMIT, usage)];
    const { message } = this.#shown;
    if (!message) return undefined;
    return {
      events,
      answer: message,
      hidden: {
        steps: { ...this.#steps.told, ...(usage && { subagentUsage: usage }) },
        expansion: toExpansion(this.#entries),
      },
    };
  }

  failing(found: Failure): Failure {
    return this.#steps.hasBegun ? behindTools(found) : found;
  }

  /** Adds what the agent has said last. */
  #add(content: ContentBlock[]): void {
    const entry = toEntry({ role: 'assistant', content }, this.#shown.message?.model ?? '', NAMES);
    this.#entries.push({ ...entry, uuid: randomUUID(), parentUuid: this.#entries.at(-1)?.uuid } as unknown as Entry);
  }

  #limitIn(subtype: string): string | undefined {
    const { maxTurns, maxBudgetUsd } = this.#agent;
    if (subtype === 'error_max_turns') return `${maxTurns} calls of the model for one turn`;
    if (subtype === 'error_max_budget_usd') return `${maxBudgetUsd} US dollars for one turn`;
    return undefined;
  }
}
