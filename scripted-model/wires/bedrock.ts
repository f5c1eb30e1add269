import { eventStreamMessage } from './event-stream.ts';
import type { Wire } from './wire.ts';

const PATH = /^\/model\/(.+)\/(invoke|invoke-with-response-stream|count-tokens)$/;

/** Amazon Bedrock: the path names the model, streams are AWS event streams, and errors are a message alone. */
export function bedrockWire(path: string): Wire | undefined {
  const [, model = '', method] = PATH.exec(decodeURIComponent(path)) ?? [];
  if (method === undefined) return undefined;
  return {
    asks: method === 'count-tokens' ? 'token count' : 'message',
    model,
    streams: method === 'invoke-with-response-stream',
    streamType: 'application/vnd.amazon.eventstream',
    frame: (event) => {
      const bytes = Buffer.from(JSON.stringify(event)).toString('base64');
      return eventStreamMessage(CHUNK, Buffer.from(JSON.stringify({ bytes })));
    },
    tokenCount: (inputTokens) => ({ inputTokens }),
    error: (_type, message) => ({ message }),
  };
}

const CHUNK = { ':event-type': 'chunk', ':content-type': 'application/json', ':message-type': 'event' };

/**
 * What Claude Code asks Bedrock for besides answers: the profiles by which models are invoked, of which there are none here, and
 * the model of one profile, before it counts tokens.
 *
 * @returns undefined for another path
 */
export function inferenceProfiles(path: string): unknown {
  const found = /^\/inference-profiles(?:\/(.+))?$/.exec(decodeURIComponent(path));
  if (!found) return undefined;
  const [, profile] = found;
  if (profile === undefined) return { inferenceProfileSummaries: [] };
  return { models: [{ modelArn: `arn:aws:bedrock:us-east-1::foundation-model/${profile.replace(/^us\./, '')}` }] };
}
