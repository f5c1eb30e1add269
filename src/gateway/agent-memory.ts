import { createHash, randomUUID } from 'node:crypto';
import type { Lineage } from '../conversation/lineage.ts';
import type { AgentSession, NamedAgent } from '../spec/agent.ts';
import type { Caller } from '../spec/caller.ts';
import type { ExpansionRecord, ExpansionStore } from '../spec/expansion-store.ts';
import type { Message, MessagesRequest } from '../spec/messages.ts';
import type { HiddenSteps, TurnEvent } from '../spec/turn-events.ts';

/** A request of which the hidden steps are known as far as they are kept. */
export interface Recalled {
  request: MessagesRequest & { agent: NamedAgent };
  /** The conversation's id. */
  session: string;
  /** Whether conversations look like this one that may be others, and nothing tells which it is: the newest was taken. */
  isGuessed: boolean;
}

/** What a turn's steps are kept under. */
export interface KeptUnder {
  turn: string;
  caller: Pick<Caller, 'id'>;
  agent: string;
  session: string;
  clientSession?: string | undefined;
  /** Up to and including the answer. */
  lineage: Lineage;
}

/** What agents did in earlier turns: puts it into requests, and keeps what they do in this one. */
export class AgentMemory {
  readonly #store: ExpansionStore;

  constructor(store: ExpansionStore) {
    this.#store = store;
  }

  /**
   * Finds the conversation that a request goes on with, and the hidden steps of its answers. An answer whose steps are not known
   * goes to the model as the client sends it, which `converted` says.
   *
   * @param lineages of all beginnings of the request
   */
  async recall(
    request: MessagesRequest & { agent: NamedAgent },
    lineages: readonly Lineage[],
    given: AgentSession,
  ): Promise<Recalled> {
    const answers = request.messages.slice(0, -1).flatMap(({ role }, index) => (role === 'assistant' ? [index] : []));
    if (answers.length === 0) return { request, session: given.id ?? randomUUID(), isGuessed: false };
    const found = await this.#store.find(answers.map((index) => lineages[index + 1] as Lineage));
    const kept = answers.map((index) => ({ index, records: found.get(lineages[index + 1] as Lineage) ?? [] }));
    const chosen = kept
      .toReversed()
      .flatMap(({ index, records }) => {
        const choice = chooseRecord(records, request.messages[index] as Message, given);
        return choice ? [choice] : [];
      })
      .at(0);
    const session = given.id ?? chosen?.record.session ?? randomUUID();
    const expansions = new Map(
      kept.flatMap(({ index, records }) => {
        const own = records.find((record) => record.session === session);
        // An earlier part of the conversation may have had another id; who names one means that alone.
        const record = own ?? (given.id === undefined && records.length === 1 ? records[0] : undefined);
        return record ? [[index, record.expansion] as const] : [];
      }),
    );
    const converted = answers.filter((index) => !expansions.has(index)).map((index) => `messages.${index}`);
    return {
      request: {
        ...request,
        agent: { ...request.agent, expansions },
        converted: [...request.converted, ...converted],
      },
      session,
      isGuessed: given.id === undefined && (chosen?.isGuessed ?? false),
    };
  }

  /** Keeps the steps of a turn that is complete; returns its last event with what became of them. */
  async keep(event: TurnEvent, under: KeptUnder): Promise<TurnEvent> {
    if (event.type !== 'message_stop' || !event.hidden) return event;
    const { turn, caller, agent, session, clientSession, lineage } = under;
    const { steps, expansion }: HiddenSteps = event.hidden;
    const signatures = signaturesOf(event.answer);
    const isKept = await this.#store.put({
      turn,
      lineage,
      session,
      ...(clientSession !== undefined && { clientSession }),
      ...(signatures !== undefined && { signatures }),
      caller: caller.id,
      agent,
      at: Date.now(),
      steps,
      expansion: await expansion,
    });
    return { ...event, hidden: { ...event.hidden, isKept } };
  }

  /** What an agent did in a turn of this caller. */
  turn(id: string, caller: Pick<Caller, 'id'>): Promise<ExpansionRecord | undefined> {
    return this.#store.turn(id, caller.id);
  }
}

/** The record of the conversation that the client means; the newest where nothing tells. */
function chooseRecord(
  records: readonly ExpansionRecord[],
  answer: Message,
  { clientId }: AgentSession,
): { record: ExpansionRecord; isGuessed: boolean } | undefined {
  const signatures = signaturesOf(answer);
  const known =
    records.find(({ clientSession }) => clientSession !== undefined && clientSession === clientId) ??
    records.find((record) => record.signatures !== undefined && record.signatures === signatures);
  if (known) return { record: known, isGuessed: false };
  const [newest] = records;
  if (!newest) return undefined;
  const isOfAnother = clientId !== undefined && newest.clientSession !== undefined;
  return { record: newest, isGuessed: records.length > 1 || isOfAnother };
}

/** A digest of the signatures in the thinking of an answer; undefined if it has none. */
function signaturesOf({ content }: Pick<Message, 'content'>): string | undefined {
  const signatures = content.flatMap(({ type, signature }) =>
    type === 'thinking' && typeof signature === 'string' && signature !== '' ? [signature] : [],
  );
  if (signatures.length === 0) return undefined;
  return createHash('sha256').update(JSON.stringify(signatures)).digest('base64url');
}
