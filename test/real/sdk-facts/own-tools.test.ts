import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { RESERVED_NAMES } from '../../../src/engine/parameters/tool-names.ts';
import { asTheModelSees, type WireMessage } from '../../support/as-the-model-sees.ts';
import { assistant, collect, PATIENT, request, tool, user } from '../../support/engine.ts';
import { ROOT } from '../../support/gateway.ts';
import {
  EARLIER_NAMES_OF_THE_BINARY,
  OWN_TOOLS,
  TOOLS_OF_THE_BINARY,
  tablesOfTheBinary,
} from '../../support/own-tools.ts';
import { TEXT, useContract } from './fact.ts';

/** What becomes of a client's tool that has the name of one of Claude Code's own. */

test('the names of its own tools are those that we know', () => {
  expect(tablesOfTheBinary()).toEqual({ tools: TOOLS_OF_THE_BINARY, earlierNames: EARLIER_NAMES_OF_THE_BINARY });
});

test('the names of the SDK’s types are among them', () => {
  const types = readFileSync(join(ROOT, 'node_modules/@anthropic-ai/claude-agent-sdk/sdk-tools.d.ts'), 'utf8');
  const names = [...types.matchAll(/^export interface (?:File)?(\w+)Input\b/gm)].map(([, name = '']) => name);
  expect(names.length).toBeGreaterThan(40);
  // Any server's tool, and one whose name is written otherwise.
  const others = names.filter((name) => !['Mcp', 'ProposeSkills'].includes(name));
  expect(OWN_TOOLS).toEqual(expect.arrayContaining(others));
});

describe('a client’s tool with such a name', () => {
  const { answering, seen, replay } = useContract('another');
  const toModel = (name: string) => (name in RESERVED_NAMES ? `${name}_` : name);
  const tools = OWN_TOOLS.map(tool);
  const calls = OWN_TOOLS.map((name) => ({
    type: 'tool_use' as const,
    id: `toolu_${name}`,
    name,
    input: { path: name },
  }));
  const results = calls.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: `result of ${id}` }));
  const history = [user('hi'), assistant(...calls), user(...results)];
  const callsOfTheModel = calls.map((call) => ({ ...call, name: toModel(call.name) }));
  const seenHistory = [user('hi'), assistant(...callsOfTheModel), user(...results)];
  const asSeen = (messages: unknown) => asTheModelSees(messages as WireMessage[], { withThinking: true });
  const seenTools = tools.map(({ name, ...rest }) => ({ name: toModel(name), ...rest }));

  test('is declared, called and answered as it is, live and by replay', async () => {
    answering({ content: callsOfTheModel }, TEXT, TEXT);
    const { last, process } = await replay(request([user('hi')], { tools }));
    expect(last).toMatchObject({ answer: { content: calls } });
    await collect(await process.continue(request(history, { tools }), PATIENT));
    await replay(request(history, { tools }));
    for (const at of [1, 2]) {
      expect(asSeen(seen(at).messages)).toEqual(asSeen(seenHistory));
      expect(seen(at).tools).toMatchObject(seenTools);
    }
  });
});
