import { stableJson } from '../conversation/canonical.ts';
import { extendLineageByAnswer, type Lineage, stepLineages } from '../conversation/lineage.ts';
import type { Agent, AgentSession } from '../spec/agent.ts';
import type { ExpansionRecord, ExpansionStore } from '../spec/expansion-store.ts';
import { badRequest } from '../spec/failures.ts';
import type { AnswerMessage, Message, MessagesRequest } from '../spec/messages.ts';
import type { TurnEvent } from '../spec/turn-events.ts';
import { AgentMemory } from './agent-memory.ts';
import { WorkspaceTurns } from './workspace-turns.ts';

/** The agents of a gateway, and where it keeps what they do. */
export interface AgentParts {
  /** By their names. */
  agents: ReadonlyMap<string, Agent>;
  store: ExpansionStore;
  /** How long a turn waits for a workspace, in milliseconds. */
  waitMs: number;
}

/** See `Engine.tidy`. */
type Tidy = (agent: string) => Promise<void>;

/** What an agent's turn needs of its order. */
export interface AgentOrder {
  /** The id of the request: the client's own, else the gateway's. */
  id: string;
  request: MessagesRequest;
  caller: { id: string };
  session: AgentSession;
  signal: AbortSignal;
  asReturned: (answer: AnswerMessage) => Message;
}

/** A turn of an agent that may begin. */
export interface AdmittedTurn {
  /** With the hidden steps that are known. */
  request: MessagesRequest;
  /** The conversation's id. */
  session: string;
  /** Whether several conversations look like this one, and the newest was taken. */
  isGuessed: boolean;
  /** The events, the last one when the turn's steps are kept. */
  keep(events: AsyncIterable<TurnEvent>): AsyncIterable<TurnEvent>;
  /** Ends the turn. */
  leave(): void;
}

/** The turns of agents: one at a time where they change files, each with what was done in earlier ones. */
export class AgentTurns {
  readonly #agents: ReadonlyMap<string, Agent>;
  readonly #memory: AgentMemory;
  readonly #workspaces: WorkspaceTurns;
  readonly #tidy: Tidy;

  constructor({ agents, store, waitMs }: AgentParts, tidy: Tidy) {
    this.#agents = agents;
    this.#tidy = tidy;
    this.#memory = new AgentMemory(store);
    this.#workspaces = new WorkspaceTurns(waitMs);
  }

  /**
   * @returns undefined for a request that names no agent
   * @throws FailureError `bad_request`, `agent_turn_running`, `workspace_busy`, `client_gone`
   */
  async admit(order: AgentOrder): Promise<AdmittedTurn | undefined> {
    const { id, request, caller, session: given, signal, asReturned } = order;
    const named = request.agent;
    const agent = named && this.#agents.get(named.name);
    if (!named || !agent) return undefined;
    if (request.messages.at(-1)?.role !== 'user') {
      throw badRequest('messages', 'an agent does not go on from words of the assistant; end with a user message');
    }
    const lineages = stepLineages(request, caller.id);
    const whole = lineages.at(-1) as Lineage;
    const turn = stableJson([whole, request.system, given.id ?? given.clientId ?? '']);
    const end = await this.#workspaces.enter(agent, turn, signal);
    const leave = () => end(this.#tidy(agent.name));
    try {
      const recalled = await this.#memory.recall({ ...request, agent: named }, lineages, given);
      const { session } = recalled;
      const under = { turn: id, caller, agent: agent.name, session, clientSession: given.clientId };
      const memory = this.#memory;
      return {
        ...recalled,
        leave,
        async *keep(events) {
          for await (const event of events) {
            if (event.type !== 'message_stop') yield event;
            else {
              const lineage = extendLineageByAnswer(whole, asReturned(event.answer), request);
              yield await memory.keep(event, { ...under, lineage });
            }
          }
        },
      };
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** What an agent did in a turn of this caller. */
  turn(id: string, caller: { id: string }): Promise<ExpansionRecord | undefined> {
    return this.#memory.turn(id, caller);
  }
}
