import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { onStage } from './checks.ts';
import { ASPECT_NAMES, compare } from './comparison.ts';
import { text, turnRule, use } from './rules.ts';
import { type Observation, pathOf } from './stage.ts';

/** The Vercel AI SDK with its Anthropic provider, as a program uses them. */

const stage = onStage();

// biome-ignore-start lint/suspicious/noExplicitAny: the packages are installed beside the project, their types with them
let ai: any;
let model: any;
let tools: any;
let z: any;
// biome-ignore-end lint/suspicious/noExplicitAny: see above

beforeAll(async () => {
  const load = (file: string) =>
    import(pathToFileURL(join(process.env.ISTHMUS_CLIENTS_VERCEL_AI ?? '', 'node_modules', file)).href);
  ai = await load('ai/dist/index.mjs');
  z = (await load('zod/index.js')).z;
  const { createAnthropic } = await load('@ai-sdk/anthropic/dist/index.mjs');
  model = createAnthropic({ baseURL: `${stage().url}/v1`, apiKey: 'any' })('claude-sonnet-4-5');
  tools = {
    weather: ai.tool({
      description: 'Tells the weather of a city',
      inputSchema: z.object({ city: z.string() }),
      execute: async ({ city }: { city: string }) => ({ city, sky: 'clear – 数' }),
    }),
  };
});

function checkWhatTheModelSaw(observation: () => Observation<unknown>, paths: string[]): void {
  it('each request took its way, and was one model call', () => {
    const { exchanges, seen } = observation();
    expect(exchanges.map(pathOf)).toEqual(paths);
    expect(seen.map(({ outcome }) => outcome)).toEqual(paths.map(() => 'answered'));
  });
  for (const aspect of ASPECT_NAMES) {
    it(`${aspect}: the model saw what the AI SDK sent, in every request`, () => {
      const { pairs } = observation();
      expect(pairs).toHaveLength(paths.length);
      expect(pairs.flatMap((pair) => compare(aspect, pair))).toEqual([]);
    });
  }
}

describe.each(['generateText', 'streamText'])('%s', (method) => {
  describe('a tool loop', () => {
    let seen: Observation<{ text: string; steps: unknown[]; usage: { outputTokens: number } }>;

    beforeAll(async () => {
      stage().script(
        turnRule(
          `weather by ${method}`,
          [
            text('Let me see.'),
            use('toolu_1', 'weather', { city: 'Größe' }),
            use('toolu_2', 'weather', { city: '数' }),
          ],
          [text('Clear in both – 🌊.')],
        ),
      );
      seen = await stage().observe(async () => {
        const result = await ai[method]({
          model,
          tools,
          system: 'You know the weather.',
          prompt: `Tell the weather by ${method}`,
          stopWhen: ai.stepCountIs(5),
          temperature: 0.3,
        });
        return { text: await result.text, steps: await result.steps, usage: await result.usage };
      });
    });

    it('the tools ran and the answer came whole, with its usage', () => {
      expect(seen.run.text).toBe('Clear in both – 🌊.');
      expect(seen.run.steps).toHaveLength(2);
      expect(JSON.stringify(seen.run.steps)).toContain('clear – 数');
      expect(seen.run.usage.outputTokens).toBe(7);
    });
    checkWhatTheModelSaw(() => seen, ['start', 'continue']);
  });
});

describe('structured output', () => {
  let seen: Observation<{ object: unknown }>;

  beforeAll(async () => {
    const recipe = { name: 'soup', steps: ['boil', 'eat'] };
    stage().script((request) => ({
      content: request.tools?.length
        ? [use('toolu_json', String(request.tools[0]?.name), recipe)]
        : [text(JSON.stringify(recipe))],
    }));
    seen = await stage().observe(() =>
      ai.generateObject({
        model,
        schema: z.object({ name: z.string(), steps: z.array(z.string()) }),
        system: 'You cook.',
        prompt: 'A recipe, please.',
      }),
    );
  });

  it('the object is the model’s', () => {
    expect(seen.run.object).toEqual({ name: 'soup', steps: ['boil', 'eat'] });
  });
  checkWhatTheModelSaw(() => seen, ['start']);
});

describe('an image and a PDF', () => {
  let seen: Observation<{ text: string }>;

  beforeAll(async () => {
    stage().script(turnRule('What are these', [text('A dot and a page.')]));
    seen = await stage().observe(() =>
      ai.generateText({
        model,
        system: 'You look.',
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'What are these?' },
              { type: 'image', image: Buffer.from('89504e470d0a1a0a', 'hex'), mediaType: 'image/png' },
              { type: 'file', data: Buffer.from('%PDF-1.4'), mediaType: 'application/pdf', filename: 'a.pdf' },
            ],
          },
        ],
      }),
    );
  });

  it('the answer came', () => {
    expect(seen.run.text).toBe('A dot and a page.');
  });
  checkWhatTheModelSaw(() => seen, ['start']);
});

describe('an error', () => {
  it('is the API’s, and is tried again as the API says', async () => {
    let asked = 0;
    stage().script((request) => {
      asked += 1;
      const headers = { 'retry-after': '1' };
      if (asked === 1) return { error: { status: 529, type: 'overloaded_error', message: 'Overloaded', headers } };
      return turnRule('Say hi', [text('hi')])(request);
    });
    const { run, exchanges } = await stage().observe<{ text: string }>(() =>
      ai.generateText({ model, prompt: 'Say hi', maxRetries: 2 }),
    );
    expect(run.text).toBe('hi');
    expect(exchanges.map(({ status }) => status)).toEqual([529, 200]);
  });
});
