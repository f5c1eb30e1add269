import { describe, expect, test } from 'vitest';
import type { Reply } from '../../../scripted-model/script.ts';
import { finish, NO_LISTENER, request, startEngine, user } from '../../support/engine.ts';
import { testParts } from '../../support/test-parts.ts';
import { type Api, useContract } from './fact.ts';

const REQUEST_ID = expect.stringMatching(/^req_msg_scripted_\d+$/);

type Status = [status: number, type: string];

/** Of errors whose retry Claude Code announces. */
const ANNOUNCED: Status[] = [
  [429, 'rate_limit_error'],
  [503, 'unavailable_error'],
  [401, 'authentication_error'],
  [408, 'timeout_error'],
  [409, 'conflict_error'],
  [500, 'api_error'],
  [504, 'timeout_error'],
  [529, 'overloaded_error'],
];

/** Of errors that end a turn. */
const ENDING: Array<[...Status, message: string]> = [
  [400, 'invalid_request_error', 'prompt is too long: 210000 tokens > 200000 maximum'],
  [413, 'request_too_large', 'Request exceeds the maximum size'],
  [400, 'invalid_request_error', 'messages.0: bad'],
  [400, 'invalid_request_error', 'input length and `max_tokens` exceed context limit: 199000 + 20000 > 200000'],
  [402, 'billing_error', 'pay first'],
  [403, 'permission_error', 'not yours'],
  [422, 'invalid_request_error', 'odd'],
];

/** Of errors within a stream. */
const WITHIN: Status[] = [
  [529, 'overloaded_error'],
  [500, 'odd_error'],
  [400, 'invalid_request_error'],
  [429, 'rate_limit_error'],
  [504, 'timeout_error'],
];

/**
 * What the Agent SDK tells of a call that failed, see {@link describeSdkFacts}.
 *
 * @param api whose the scripted model passes for
 */
export function describeSdkErrorFacts(api: Api): void {
  describe(`over an API that is ${api === 'another' ? 'not ' : ''}the first party’s`, () => {
    const contract = useContract(api);
    const { replay, claim, answering } = contract;
    /**
     * The first rows of each table. Over the first party's API they run every day, and the other rows in the soak. Over another
     * API they run in the soak, and the other rows not at all: the gateway's own tests use such an API every day.
     */
    const FEW = 2;
    const few = api === 'another' ? FEW : undefined;
    const parts = { isEveryday: (_row: unknown, at: number) => api === 'first party' && at < FEW };

    function refusing(status: number, type: string, message: string): Reply {
      return { error: { status, type, message, headers: { 'retry-after': '7' } } };
    }

    testParts(
      'sdkErrors',
      ANNOUNCED.slice(0, few),
      parts,
    )('the announced retry of a %i becomes the answer, in the API’s own words', async (status, type) => {
      answering(refusing(status, type, 'the API’s own words'));
      const { last } = await replay(request([user('hi')]));
      expect(last).toMatchObject({
        type: 'failure',
        failure: {
          code: 'upstream_error',
          status,
          type,
          message: 'the API’s own words',
          requestId: REQUEST_ID,
        },
      });
      await contract.fixture.engine.allGone();
      // The first 503 of the first party's API is tried again without an announcement; neither call is paid.
      expect(contract.model.requests).toHaveLength(status === 503 && api === 'first party' ? 2 : 1);
      if (status === 429 && last?.type === 'failure') expect(last.failure.retryAfterSeconds).toBeGreaterThanOrEqual(7);
    });

    testParts(
      'sdkErrors',
      ENDING.slice(0, few),
      parts,
    )('a %i ends the turn with its %s, its words and its request id', async (status, type, message) => {
      answering(refusing(status, type, message));
      const { last } = await replay(request([user('hi')]));
      expect(contract.model.requests).toHaveLength(1);
      expect(last).toMatchObject({
        type: 'failure',
        failure: { code: 'upstream_error', status, type, message, requestId: REQUEST_ID },
      });
    });

    testParts(
      'sdkErrors',
      [429, 500, 529].slice(0, few),
      parts,
    )(
      'the words of a %i that is not to be repeated are cut out of Claude Code’s, and no upstream is named',
      async (status) => {
        const error = {
          status,
          type: 'api_error',
          message: 'the API’s own words',
          headers: { 'x-should-retry': 'false' },
        };
        answering({ error });
        const { last } = await replay(request([user('hi')]));
        expect(last).toMatchObject({
          failure: { code: 'upstream_error', status, type: 'api_error', message: 'the API’s own words' },
        });
        answering({ raw: { status, content_type: 'text/html', body: '<html></html>' } });
        const { last: nameless } = await replay(request([user('hi')]));
        expect(nameless).toMatchObject({ failure: { code: 'upstream_error', status } });
        for (const end of [last, nameless]) {
          expect(JSON.stringify(end)).not.toMatch(/127\.0\.0\.1|claude\.com|If it persists/);
        }
      },
    );

    testParts(
      'sdkErrors',
      WITHIN.slice(0, few),
      parts,
    )('an error within a stream is a %i with its %s and its words', async (status, type) => {
      const content = [{ type: 'text' as const, text: 'some words' }];
      answering({ content, stream_error: { after_events: 3, type, message: 'the API’s own words' } });
      const { last } = await replay(request([user('hi')]));
      expect(last).toMatchObject({
        failure: { code: 'upstream_error', status, type, message: 'the API’s own words', requestId: REQUEST_ID },
      });
      expect(contract.model.requests).toHaveLength(1);
    });

    test('a process that began as a spare keeps status, type, words and request id as one that began by replay', async () => {
      answering(
        refusing(400, 'invalid_request_error', 'prompt is too long: 210000 tokens > 200000 maximum'),
        refusing(413, 'request_too_large', 'Request exceeds the maximum size'),
        refusing(429, 'rate_limit_error', 'slow down'),
      );
      const [tooLong, tooLarge, busy] = [
        (await claim(request([user('hi')]))).last,
        (await claim(request([user('hi')]))).last,
        (await claim(request([user('hi')]))).last,
      ];
      const error = (status: number, type: string, message: string) => ({
        failure: { status, type, message, requestId: REQUEST_ID },
      });
      expect(tooLong).toMatchObject(
        error(400, 'invalid_request_error', 'prompt is too long: 210000 tokens > 200000 maximum'),
      );
      expect(tooLarge).toMatchObject(error(413, 'request_too_large', 'Request exceeds the maximum size'));
      expect(busy).toMatchObject(error(429, 'rate_limit_error', 'slow down'));
      expect(contract.model.requests).toHaveLength(3);
    });

    test('without a credential nothing is called, and the failure says so', async () => {
      const { engine, close } = startEngine(contract.model.url, { ...contract.variables, ANTHROPIC_API_KEY: '' });
      const { last, process } = await finish(engine.replay(request([user('hi')]), NO_LISTENER));
      process.end();
      await close();
      expect(last).toMatchObject({ failure: { code: 'not_signed_in', status: 401, type: 'authentication_error' } });
      expect(contract.model.requests).toHaveLength(0);
    });

    test('a 404 keeps its status, type and request id, and is asked for twice', async () => {
      answering(refusing(404, 'not_found_error', 'model: nope'));
      const { last } = await replay(request([user('hi')]));
      expect(last).toMatchObject({ failure: { status: 404, type: 'not_found_error' } });
      // The CLI tries once more without streaming, as for a proxy that knows no streams; neither call is paid.
      expect(contract.model.requests.map(({ body }) => body.stream)).toEqual([true, false]);
    });

    test('a 400 to a request with the beta of thinking tokens is asked for twice, the second time without it', async () => {
      const beta = 'thinking-token-count-2026-05-13';
      answering(refusing(400, 'invalid_request_error', 'messages.0: bad'));
      const parameters = { max_tokens: 2048, thinking: { type: 'enabled' as const, budget_tokens: 1024 } };
      const { last } = await replay(request([user('hi')], { parameters, betas: [beta] }));
      expect(last).toMatchObject({ failure: { status: 400, message: 'messages.0: bad', requestId: REQUEST_ID } });
      const betas = contract.model.requests.map(({ headers }) => String(headers['anthropic-beta']).includes(beta));
      expect(betas).toEqual([true, false]);
    });

    test('an error that a stream begins with is asked for three times, without an announcement', async () => {
      answering({ stream_error: { after_events: 0, type: 'overloaded_error', message: 'Overloaded' } });
      const { last } = await replay(request([user('hi')]));
      expect(last).toMatchObject({ failure: { status: 529, type: 'overloaded_error', message: 'Overloaded' } });
      expect(contract.model.requests).toHaveLength(3);
    });
  });
}
