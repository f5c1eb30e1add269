import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onStage, toPlay } from './checks.ts';
import { comparableMessages, compare } from './comparison.ts';
import { text, thinking, turnRule, use } from './rules.ts';
import { type Observation, pathOf } from './stage.ts';

/** Clients of OpenAI's two APIs, as programs use them. */

/** `refersBy` is what stands in the follow-up for what was answered, where that is not sent whole. */
const CONVERSATIONS = [
  { client: 'openai chat', api: 'chat/completions' },
  { client: 'openai responses', api: 'responses', refersBy: '"previous_response_id":"resp_' },
  { client: 'ai responses', api: 'responses', refersBy: '{"type":"item_reference","id":"rs_' },
  { client: 'ai chat', api: 'chat/completions' },
  { client: 'agents', api: 'responses' },
  // Sends what the Agents SDK sends, and what the SDK of OpenAI does.
  { client: 'langchain responses', api: 'responses', isEveryday: false },
  { client: 'langchain chat', api: 'chat/completions', isEveryday: false },
];
const RECIPE = { name: 'soup', steps: ['boil', 'eat'] };

const stage = onStage();
let program: ChildProcess;

beforeAll(() => {
  const code = readFileSync(new URL('openai-program.js', import.meta.url), 'utf8');
  program = spawn(String(process.env.ISTHMUS_CLIENTS_NODE_22), ['--input-type=module', '--eval', code], {
    // Where its packages are.
    cwd: process.env.ISTHMUS_CLIENTS_OPENAI,
    env: {},
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
});

afterAll(async () => {
  if (program.exitCode !== null) return;
  const ended = once(program, 'exit');
  program.kill();
  await ended;
});

/** What came of a turn, or of two. */
function ask<Answer>(what: string, first: string, second?: string): Promise<Observation<Answer>> {
  return stage().observe(async () => {
    program.send({ what, baseURL: `${stage().url}/v1`, first, second });
    const [{ failure, value }] = await once(program, 'message');
    if (failure) throw new Error(failure);
    return value;
  });
}

describe.each(toPlay(CONVERSATIONS, ({ isEveryday = true }) => isEveryday))(
  '$client',
  ({ client, api, refersBy = '' }) => {
    const [first, second] = [`Tell the weather, ${client}`, `And tomorrow, ${client}?`];
    let seen: Observation<string[]>;

    beforeAll(async () => {
      stage().script(
        turnRule(
          first,
          [
            thinking('Two cities.'),
            text('Let me see.'),
            use('toolu_1', 'weather', { city: 'Größe' }),
            use('toolu_2', 'weather', { city: '数' }),
          ],
          [text('Clear in both – 🌊.')],
        ),
        turnRule(second, [text('Rain.')]),
      );
      seen = await ask<string[]>(client, first, second);
    });

    it('both answers came whole, the first one behind its tools', () => {
      expect(seen.run).toEqual(['Clear in both – 🌊.', 'Rain.']);
      expect(seen.exchanges.map(({ path, status }) => [path, status])).toEqual(Array(3).fill([`/v1/${api}`, 200]));
    });
    it('each request was one model call, and the conversation went on in its process', () => {
      expect(seen.exchanges.map(pathOf)).toEqual(['start', 'continue', 'continue']);
      expect(seen.seen.map(({ outcome }) => outcome)).toEqual(Array(3).fill('answered'));
      expect(JSON.stringify(seen.exchanges[2]?.body)).toContain(refersBy);
    });
    for (const aspect of ['messages', 'system prompt', 'tools'] as const) {
      it(`${aspect}: the model saw what the client sent, in every request`, () => {
        expect(seen.pairs).toHaveLength(3);
        expect(seen.pairs.flatMap((pair) => compare(aspect, pair))).toEqual([]);
      });
    }
  },
);

const STRUCTURED = [
  { client: 'openai chat' },
  { client: 'openai responses' },
  // These ask for it as that SDK does.
  { client: 'ai responses', isEveryday: false },
  { client: 'agents', isEveryday: false },
];

describe.each(toPlay(STRUCTURED, ({ isEveryday = true }) => isEveryday))(
  'structured output by $client',
  ({ client }) => {
    it('the object is the model’s, which was asked for its schema', async () => {
      const prompt = `A recipe by ${client}, please.`;
      stage().script(turnRule(prompt, [text(JSON.stringify(RECIPE))]));
      const { run, exchanges, seen, pairs } = await ask(`structured ${client}`, prompt);
      expect(run).toEqual(RECIPE);
      expect(pairs.flatMap((pair) => compare('messages', pair))).toEqual([]);
      expect(seen.map(({ body }) => body.output_config)).toMatchObject([
        { format: { type: 'json_schema', schema: { required: ['name', 'steps'], additionalProperties: false } } },
      ]);
      expect(exchanges[0]?.answerHeaders).not.toHaveProperty('isthmus-converted');
    });
  },
);

const IMAGE = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } };
const PDF = {
  type: 'document',
  source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0xLjQ=' },
  title: 'a.pdf',
};

// This provider sends what a tool shows as JSON in a text to the one API, as an image to the other.
const FILES = [
  { client: 'ai responses', path: 'replay', shown: [{ type: 'text', text: 'A dot:' }, IMAGE] },
  { client: 'ai chat', path: 'continue', shown: [{ type: 'text', text: expect.any(String) }], isEveryday: false },
];

describe.each(toPlay(FILES, ({ isEveryday = true }) => isEveryday))('files by $client', ({ client, path, shown }) => {
  it('the model saw an image and a PDF of the user, and what a tool showed', async () => {
    const prompt = `Look, ${client}`;
    stage().script(turnRule(prompt, [use('toolu_3', 'look', {})], [text('A dot.')]));
    const { run, exchanges, seen } = await ask(`files ${client}`, prompt);
    expect(run).toEqual({ text: 'A dot.', outputTokens: 14 });
    expect(exchanges.map(pathOf)).toEqual(['start', path]);
    expect(seen.map(({ body }) => comparableMessages(body))).toEqual([
      [{ role: 'user', content: [text(prompt), IMAGE, PDF] }],
      [
        { role: 'user', content: [text(prompt), IMAGE, PDF] },
        { role: 'assistant', content: [use('toolu_3', 'look', {})] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_3', content: shown }] },
      ],
    ]);
  });
});

const LIMIT = { status: 429, type: 'rate_limit_error', message: 'Slow down.', headers: { 'retry-after': '7' } };
const OVERFLOW = { status: 400, type: 'invalid_request_error', message: 'prompt is too long: 9 tokens > 8 maximum' };
const SEEING = [
  { client: 'openai chat', names: ['RateLimitError', 'BadRequestError'] },
  { client: 'ai responses', names: ['AI_APICallError', 'AI_APICallError'] },
  // It has the errors of the one, on the path of the other.
  { client: 'openai responses', names: ['RateLimitError', 'BadRequestError'], isEveryday: false },
];

describe.each(toPlay(SEEING, ({ isEveryday = true }) => isEveryday))(
  'an error, as $client sees it',
  ({ client, names }) => {
    it('is a limit, and says how long to wait', async () => {
      stage().script(() => ({ error: LIMIT }));
      const { run, seen } = await ask<{ message: string; retryAfter: string }>(`error ${client}`, `Limit ${client}`);
      expect(run).toMatchObject({ name: names[0], status: 429, code: 'rate_limit_exceeded' });
      expect(run.message).toContain(`Slow down. Please try again in ${run.retryAfter}s.`);
      // Claude Code waits somewhat longer than its API says, and that is what its client is told.
      expect(Number(run.retryAfter)).toBeGreaterThanOrEqual(7);
      expect(seen).toHaveLength(1);
    });

    it('is an input that exceeds the context window, in the API’s own words', async () => {
      stage().script(() => ({ error: OVERFLOW }));
      const { run, seen } = await ask<{ message: string }>(`error ${client}`, `Window ${client}`);
      expect(run).toMatchObject({ name: names[1], status: 400, code: 'context_length_exceeded', retryAfter: null });
      expect(run.message).toContain(`exceeds the context window of this model: ${OVERFLOW.message}`);
      expect(seen).toHaveLength(1);
    });
  },
);

it.each(['openai chat', 'openai responses', 'agents'])(
  'an answer that breaks off is an error for %s',
  async (client) => {
    stage().script(() => ({ content: [text('The beginning of an answer')], cut: { after_events: 4, how: 'end' } }));
    const { run } = await ask<{ message: string }>(`cut ${client}`, `Cut ${client}`);
    expect(run).toMatchObject({ name: 'APIError', code: 'server_error' });
  },
);

describe.each(['openai chat', 'agents', 'ai responses', 'ai chat'])('of a tool that %s runs by itself', (client) => {
  const runs = async (stop_reason: string, raw_input: string) => {
    const call = { type: 'tool_use' as const, name: 'weather', input: {}, raw_input };
    stage().script(({ messages }) =>
      messages.length > 1 ? { content: [text('Sunny.')] } : { content: [call], stop_reason },
    );
    return (await ask<unknown[]>(`runs ${client}`, `Cut ${client} ${stop_reason} ${raw_input}`)).run;
  };

  it('a whole call is run', async () => {
    expect((await runs('tool_use', '{"city":"Bern"}'))[0]).toEqual({ city: 'Bern' });
  });

  it.each([
    ['in its input', '{"city":"Ber'],
    ['before its input', ''],
  ])('a call that is cut %s is not run', async (_where, raw_input) => {
    expect(await runs('max_tokens', raw_input)).toEqual([]);
  });
});
