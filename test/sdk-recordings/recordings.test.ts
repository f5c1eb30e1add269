import { join } from 'node:path';
import { afterAll, beforeAll, expect, vi } from 'vitest';
import { type ScriptedModel, startScriptedModel } from '../../scripted-model/testing.ts';
import { MessageReader } from '../../src/engine/turn/message-reader.ts';
import type { BegunTurn } from '../../src/spec/engine.ts';
import { makeWorkspace, plainAgent } from '../support/agents.ts';
import { collect, NO_LISTENER, PATIENT, request, startEngine } from '../support/engine.ts';
import { ROOT, until } from '../support/gateway.ts';
import { testParts } from '../support/test-parts.ts';
import { type Recording, toHeard, toRecorded, toRecordedOfAgent } from './recording.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';

/**
 * What the unit tests feed the reader with is what the real SDK sends: each scenario is run over the real SDK and compared
 * with its recording. `npm run record` writes the recordings.
 */

let model: ScriptedModel;
beforeAll(async () => {
  model = await startScriptedModel();
});
afterAll(() => model.close());

/** A call, a cut and an error of the API. */
const QUICK_SCENARIOS = ['tool-loop', 'cut-behind-a-block', 'error-429'];

/** Words, a whole answer, a stop, an agent, and of each kind of error another one. */
const EVERYDAY_SCENARIOS = [
  'thinking-and-text',
  'whole-calls',
  'refusal',
  'agent-with-a-subagent',
  'error-event-within',
  'error-500-for-good',
  'error-429-in-a-spare',
  'connection-refused',
];

testParts('sdkRecordings', Object.entries<Scenario>(SCENARIOS), {
  isQuick: ([name]) => QUICK_SCENARIOS.includes(name),
  isEveryday: ([name]) => EVERYDAY_SCENARIOS.includes(name),
})('the SDK sends %s as it is recorded', async (name, scenario) => {
  // Counts that do not depend on the length of what the CLI sends.
  const usage = { input_tokens: 10, output_tokens: 7 };
  model.restart([{ replies: scenario.replies.map((reply) => ({ usage, ...reply })) }]);
  const recording = await record(scenario);
  const file = join(ROOT, 'test', 'sdk-recordings', `${name}.json`);
  // Claude Code names the host of the API in its advice.
  const text = JSON.stringify(recording, null, 1).replaceAll(new URL(model.url).host, '127.0.0.1:1');
  await expect(`${text}\n`).toMatchFileSnapshot(file);
});

async function record(scenario: Scenario): Promise<Recording> {
  const recording: Recording = { messages: [], heard: [] };
  const { open, read, hear } = MessageReader.prototype;
  const streamed = new Set<unknown>();
  vi.spyOn(MessageReader.prototype, 'open').mockImplementation(function (this: MessageReader, at) {
    recording.messages.push({ type: 'turn' });
    return open.call(this, at);
  });
  vi.spyOn(MessageReader.prototype, 'read').mockImplementation(function (this: MessageReader, message, at) {
    if (message.type === 'stream_event' && message.event.type === 'message_start')
      streamed.add(message.event.message.id);
    const recorded = scenario.agent ? toRecordedOfAgent(message, streamed) : toRecorded(message, streamed);
    // It ends an answer that came without a stream; behind events it means nothing, and its place differs from run to run.
    const isIdle = !scenario.agent && recorded?.type === 'user' && recording.messages.at(-1)?.type !== 'assistant';
    if (recorded && !isIdle) recording.messages.push(recorded);
    return read.call(this, message, at);
  });
  vi.spyOn(MessageReader.prototype, 'hear').mockImplementation(function (this: MessageReader, entries) {
    recording.heard.push(...entries.flatMap((entry) => toHeard(entry) ?? []));
    return hear.call(this, entries);
  });
  const workspace = makeWorkspace({ 'notes.txt': 'hello\n' });
  const agents = scenario.agent ? [plainAgent({ ...scenario.agent, workspace: workspace.path })] : [];
  const fixture = startEngine(model.url, scenario.variables, agents);
  try {
    const { process, events } = await begin(fixture.engine, scenario);
    await collect(events);
    for (const message of scenario.next ?? []) {
      const turn = await process.continue(
        { ...scenario.first, messages: [...scenario.first.messages, message] },
        PATIENT,
      );
      await collect(turn);
    }
    // The CLI settles a turn a moment after its answer.
    if (process.state === 'idle') await until('it has settled', () => recording.messages.at(-1)?.type === 'result');
    process.end();
  } finally {
    vi.restoreAllMocks();
    await fixture.close();
    workspace.remove();
  }
  return recording;
}

async function begin(engine: ReturnType<typeof startEngine>['engine'], scenario: Scenario): Promise<BegunTurn> {
  if (!scenario.isSpare) return engine.replay(scenario.first, NO_LISTENER);
  const claimed = await (await engine.spawnSpare()).claim(request(scenario.first.messages), NO_LISTENER, PATIENT);
  if (!claimed) throw new Error('the claim was refused');
  return claimed;
}
