import { readdirSync, readFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { json } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ScriptedModel, startScriptedModel } from '../../../scripted-model/testing.ts';
import { decodeRequest } from '../../../src/dialects/anthropic-messages/decode-request.ts';
import { depthOf } from '../../support/depth.ts';
import { startGateway, type TestGateway, until } from '../../support/gateway.ts';
import { type MalformedRequest, malformedRequest, send } from '../../support/malformed-requests.ts';
import { validBody } from '../../support/valid-bodies.ts';

/** Whatever is wrong with a request, the real program says so as the API would, starts nothing, and stays as it was. */

/** Each of as many batches as there are runs; nothing is shrunk, because what is told of a request names its one defect. */
const SECTIONS = 5;
const BATCH = 500;
const CONNECTIONS = 16;
/** Against a hang; an answer takes some milliseconds. */
const DEADLINE_MS = 30_000;
/** Little more than a kilobyte for each of the requests behind the first section; the heap itself breathes by half of it. */
const MOST_GROWTH_KB = 64 * 1024;

const TYPES: Record<number, string> = {
  400: 'invalid_request_error',
  403: 'permission_error',
  404: 'not_found_error',
  405: 'invalid_request_error',
  415: 'invalid_request_error',
};

let model: ScriptedModel;
let gateway: TestGateway;
let agent: Agent;

beforeAll(async () => {
  model = await startScriptedModel();
  gateway = await startGateway(model.url, ['--spares', '0']);
  agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
});
afterAll(async () => {
  agent?.destroy();
  await gateway?.stop();
  await model?.close();
});

test('malformed requests are refused in the API’s words, start nothing and leave nothing', {
  tags: ['quick', 'soak'],
}, async () => {
  const { runs, seed, isOver } = depthOf('malformedRequests');
  await expectNothingStarted();
  const descriptorsBefore = openDescriptors();
  const memory: number[] = [];
  for (let section = 0; section < SECTIONS; section += 1) {
    for (let run = 0; run < runs && !isOver(); run += 1) {
      const left = fc.sample(malformedRequest, { numRuns: BATCH, seed: seed + section * runs + run }).values();
      const sender = async () => {
        for (const request of left) await expectRefused(request);
      };
      await Promise.all(Array.from({ length: CONNECTIONS }, sender));
    }
    await expectNothingStarted();
    memory.push(residentKb());
  }
  expect((memory.at(-1) ?? 0) - (memory[0] ?? 0), `KB: ${memory}`).toBeLessThan(MOST_GROWTH_KB);
  agent.destroy();
  await until('its connections are closed', () => openDescriptors() <= descriptorsBefore);
});

test('without their defects they would be accepted', { tags: ['quick', 'soak'] }, () => {
  fc.assert(
    fc.property(validBody, (body) => {
      expect(decodeRequest(JSON.parse(JSON.stringify(body)))).toMatchObject({ model: body.model });
    }),
    { numRuns: 1_000, seed: depthOf('malformedRequests').seed },
  );
});

async function expectRefused(request: MalformedRequest): Promise<void> {
  const { defect, method, path, headers, parts, isCut } = request;
  const refusal = await send(agent, new URL(gateway.url), request, DEADLINE_MS);
  if (isCut) return;
  const told = [defect, method, path, headers, String(Buffer.concat(parts).subarray(0, 2_000))];
  const requestId = refusal?.headers['request-id'];
  expect([...told, refusal?.status]).toEqual([...told, request.status]);
  expect([...told, requestId]).toEqual([...told, expect.stringMatching(/^req_isthmus_[0-9a-f]{32}$/)]);
  if (method === 'HEAD') return;
  expect(refusal?.headers['content-type']).toMatch(/^application\/json/);
  expect(JSON.parse(refusal?.body ?? '')).toEqual({
    type: 'error',
    error: expect.objectContaining({ type: TYPES[request.status], message: expect.stringMatching(/./) }),
    request_id: requestId,
  });
}

/** On a connection of its own: those that `fetch` keeps open would count among the descriptors. */
function health(): Promise<unknown> {
  return new Promise((resolve, reject) => {
    get(`${gateway.url}/health`, { agent: false }, (response) => resolve(json(response))).once('error', reject);
  });
}

async function expectNothingStarted(): Promise<void> {
  expect(await health()).toMatchObject({
    processes: { streaming: 0, held: 0, idle: 0, spare: 0, spawning: 0 },
    waiting: 0,
  });
  expect(model.requests).toHaveLength(0);
}

function openDescriptors(): number {
  return readdirSync(`/proc/${gateway.child.pid}/fd`).length;
}

function residentKb(): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${gateway.child.pid}/status`, 'utf8'))?.[1]);
}
