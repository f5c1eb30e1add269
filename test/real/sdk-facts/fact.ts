import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import type { ModelRequest, Reply } from '../../../scripted-model/script.ts';
import { type ScriptedModel, startScriptedModel } from '../../../scripted-model/testing.ts';
import type { ConversationProcess } from '../../../src/spec/engine.ts';
import type { Message, MessagesRequest } from '../../../src/spec/messages.ts';
import { type EngineFixture, finish, NO_LISTENER, startEngine } from '../../support/engine.ts';
import { type FirstPartyStandIn, startFirstPartyStandIn } from '../../support/first-party/stand-in.ts';
import { OwnCalls } from '../../support/own-calls.ts';

export const CALL: Reply = { content: [{ type: 'tool_use', id: 'toolu_1', name: 'read', input: { path: 'a' } }] };
export const TEXT: Reply = { content: [{ type: 'text', text: 'done' }] };

/** An image of one pixel, in base64. */
export const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** Whose API the binary takes the scripted model for: betas, billing ids and what it fetches at its start differ. */
export type Api = 'first party' | 'another';

/** @returns what asks the stand-in's paths at each start of a process, if the API is the first party's */
async function variablesOf(api: Api): Promise<{ variables: Record<string, string>; standIn?: FirstPartyStandIn }> {
  if (api === 'another') return { variables: {} };
  const standIn = await startFirstPartyStandIn();
  return { variables: { _CLAUDE_CODE_ASSUME_FIRST_PARTY_BASE_URL: '1', ...standIn.variables }, standIn };
}

/** The result of {@link CALL}. */
export function result(content: unknown, rest: object = {}): Message {
  return { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content, ...rest }] };
}

/** What the facts of one `describe` are seen with: the engine over the real SDK, and the scripted model. */
export interface Contract {
  model: ScriptedModel;
  fixture: EngineFixture;
  /** Added to the environment of every process. */
  variables: Record<string, string>;
  replay(given: MessagesRequest): ReturnType<typeof finish>;
  /** Starts a spare and makes it this request's process. */
  claim(given: MessagesRequest): ReturnType<typeof finish>;
  /** Each next request gets the next reply. */
  answering(...replies: Reply[]): void;
  /** The body of a request that the model has had. */
  seen(index: number): ModelRequest;
}

/** Sets up and tears down around the tests of the `describe` that calls it; to be read inside tests only. */
export function useContract(api: Api): Contract {
  const processes: ConversationProcess[] = [];
  const ownCalls = new OwnCalls();
  let standIn: FirstPartyStandIn | undefined;
  const contract = {
    async replay(given: MessagesRequest) {
      const { engine } = contract.fixture;
      let turn = await finish(engine.replay(given, NO_LISTENER));
      // On a busy machine the SDK may not have the list of tools in time; the gateway tries a second time, too.
      if (turn.last?.type === 'failure' && turn.last.failure.code === 'process_tools_missing') {
        turn = await finish(engine.replay(given, NO_LISTENER));
      }
      processes.push(turn.process);
      return turn;
    },
    async claim(given: MessagesRequest) {
      const { engine } = contract.fixture;
      const begun = await (await engine.spawnSpare()).claim(given, NO_LISTENER, new AbortController().signal);
      if (!begun) throw new Error('the claim was refused');
      const turn = await finish(begun);
      processes.push(turn.process);
      return turn;
    },
    answering(...replies: Reply[]) {
      contract.model.use([{ replies }]);
    },
    seen(index: number) {
      const found = contract.model.requests[index];
      if (!found) throw new Error(`the model has had ${contract.model.requests.length} requests`);
      return found.body;
    },
  } as Contract;
  beforeAll(async () => {
    contract.model = await startScriptedModel({ onRequest: ownCalls.hear });
    ({ variables: contract.variables, standIn } = await variablesOf(api));
    contract.fixture = startEngine(contract.model.url, contract.variables);
  });
  beforeEach(() => {
    for (const process of processes.splice(0)) process.end();
    contract.model.requests.length = 0;
    contract.model.use([]);
  });
  afterEach(ownCalls.refuse);
  afterAll(async () => {
    for (const process of processes) process.end();
    await contract.fixture.close();
    await contract.model.close();
    await standIn?.close();
    // Else it has been for nothing.
    if (standIn) expect(standIn.asked).toContain('GET /api/claude_code/policy_limits');
  });
  return contract;
}
