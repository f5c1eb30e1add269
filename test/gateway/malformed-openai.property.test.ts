import { Agent } from 'node:http';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JsonObject } from '../../src/spec/messages.ts';
import { brokenJson, wrongEncoding } from '../support/broken-bytes.ts';
import { damagedJson } from '../support/damaged-json.ts';
import { checkProperty, depthOf } from '../support/depth.ts';
import { foldChat } from '../support/fold-chat.ts';
import { foldResponses } from '../support/fold-responses.ts';
import { InProcessGateway } from '../support/gateway-in-process.ts';
import { type MalformedRequest, malformedAt, type Refusal, send } from '../support/malformed-requests.ts';
import { CHAT_BODIES, RESPONSES_BODIES, SECRET } from '../support/openai-bodies.ts';

/** Whatever is wrong with a request to OpenAI's APIs, it is answered as OpenAI's would be, and never by a 5xx. */

/** Against a hang; an answer takes some milliseconds. */
const DEADLINE_MS = 60_000;
const KEY = 'sk-KEY-OF-THE-USER';

let house: InProcessGateway;
let agent: Agent;
beforeAll(async () => {
  house = await InProcessGateway.start([{ replies: [{ content: [{ type: 'text', text: 'Hello.' }] }] }]);
  agent = new Agent({ keepAlive: true });
});
afterAll(async () => {
  agent?.destroy();
  await house?.stop();
});

const APIS = [
  { name: 'chat completions', paths: ['/v1/chat/completions', '/chat/completions'], bodies: CHAT_BODIES },
  { name: 'responses', paths: ['/v1/responses', '/responses'], bodies: RESPONSES_BODIES },
];

test.each(APIS)(
  'a body for $name that is damaged anywhere gets an answer or a 400, streaming or not',
  { tags: ['soak'] },
  async (api) => {
    const depth = depthOf('malformedOpenAi');
    await checkProperty(
      depth,
      fc.asyncProperty(damagedJson(api.bodies), fc.constantFrom(...api.paths), async (text, path) => {
        if (depth.isOver()) return;
        const whole = await post(path, withStream(text, false));
        const stream = await post(path, withStream(text, true));
        for (const answer of [whole, stream]) expectKept(answer);
        expect([whole.status, stream.status]).toEqual([stream.status, whole.status]);
        if (whole.status !== 200) {
          expect(JSON.parse(stream.body)).toEqual(JSON.parse(whole.body));
          expectRefused(whole, text);
          return;
        }
        expect(JSON.parse(whole.body)).toMatchObject({ id: expect.any(String), model: expect.any(String) });
        if (api.name === 'responses') foldResponses(stream.body);
        else
          foldChat(stream.body, {
            asksUsage: /"include_usage":true/.test(text) && stream.body.includes('"choices":[]'),
          });
      }),
    );
    await expectAlive(api.paths[0] ?? '', api.bodies.at(0) ?? {});
  },
);

test.each(APIS)(
  'a request for $name that is no good in any way is told so in OpenAI’s envelope',
  { tags: ['soak'] },
  async (api) => {
    const depth = depthOf('malformedOpenAi');
    const asText = fc.constantFrom(...api.bodies).map((body) => JSON.stringify(body));
    const malformed = fc.oneof(
      {
        weight: 2,
        arbitrary: brokenJson(asText).map(({ defect, text }) => ({ defect, bytes: Buffer.from(text), headers: [] })),
      },
      { weight: 1, arbitrary: wrongEncoding(asText) },
    );
    const any = fc.oneof(
      damagedJson(api.bodies).map((text) => Buffer.from(text)),
      fc.constant(Buffer.alloc(0)),
    );
    await checkProperty(
      depth,
      fc.asyncProperty(malformedAt({ paths: api.paths, malformed, any }), async (request) => {
        if (depth.isOver()) return;
        const refusal = await send(agent, new URL(house.url), withKey(request), DEADLINE_MS);
        if (refusal === undefined) return;
        expect([request.defect, refusal.status]).toEqual([request.defect, request.status]);
        expectKept(refusal);
        if (request.method !== 'HEAD') expectRefused(refusal, 'null');
      }),
    );
    await expectAlive(api.paths[0] ?? '', api.bodies.at(0) ?? {});
  },
);

function withKey(request: MalformedRequest): MalformedRequest {
  const isNamed = request.headers.includes('authorization');
  return isNamed ? request : { ...request, headers: [...request.headers, 'authorization', `Bearer ${KEY}`] };
}

/** A field at the beginning of a text, so that a damaged one behind it counts. */
function withStream(text: string, stream: boolean): string {
  return text.replace(/^\{(?=(\}?))/, (_, end) => `{"stream":${stream}${end === '}' ? '' : ','}`);
}

async function post(path: string, text: string): Promise<Refusal> {
  const headers = ['content-type', 'application/json', 'authorization', `Bearer ${KEY}`];
  const parts = [Buffer.from(text)];
  const request = { defect: text.slice(0, 200), status: 0, method: 'POST', path, headers, parts, isCut: false };
  const answer = await send(agent, new URL(house.url), request, DEADLINE_MS);
  if (answer === undefined) throw new Error('it was cut');
  return answer;
}

/** Neither the key nor what was said is in an error or in the log. */
function expectKept({ status, headers, body }: Refusal): void {
  const told = [JSON.stringify(headers), status === 200 ? '' : body, ...house.log.slice(-20)].join('\n');
  expect(told).not.toContain(KEY);
  expect(told).not.toContain(SECRET);
}

function expectRefused({ status, headers, body }: Refusal, text: string): void {
  expect(status, body).toBeGreaterThanOrEqual(400);
  expect(status, body).toBeLessThan(500);
  expect(headers['content-type']).toMatch(/^application\/json/);
  expect(headers['x-request-id']).toBe(headers['request-id']);
  const { error, ...rest } = JSON.parse(body) as { error: JsonObject };
  expect(rest).toEqual({});
  expect(Object.keys(error)).toEqual(['message', 'type', 'param', 'code']);
  const { message, type, param, code } = error;
  expect(message).toMatch(/^.{1,1200}$/u);
  expect(type).toMatch(/^[a-z_]+$/);
  expect(code === null || typeof code === 'string').toBe(true);
  if (param !== null) expect([param, isPlaceIn(JSON.parse(text), String(param))]).toEqual([param, true]);
}

/** Whether a path leads to something, or its holder to something: what is missing is named, too. Names may have dots. */
function isPlaceIn(value: unknown, path: string): boolean {
  if (typeof value !== 'object' || value === null) return !path.includes('.');
  const keys = Object.keys(value).filter((key) => path === key || path.startsWith(`${key}.`));
  if (!path.includes('.')) return path !== '' || '' in value;
  return keys.some((key) => isPlaceIn((value as JsonObject)[key], path.slice(key.length + 1)));
}

async function expectAlive(path: string, body: JsonObject): Promise<void> {
  expect(await post(path, JSON.stringify({ ...body, n: 1 }))).toMatchObject({ status: 200 });
}
