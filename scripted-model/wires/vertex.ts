import { MESSAGES_API } from './messages-api.ts';
import type { Wire } from './wire.ts';

const PATH = /\/publishers\/anthropic\/models\/([^/:]+):(streamRawPredict|rawPredict)$/;

/** Google Vertex AI: the path names the model, and errors have Google's shape. */
export function vertexWire(path: string): Wire | undefined {
  const [, model = '', method] = PATH.exec(decodeURIComponent(path)) ?? [];
  if (method === undefined) return undefined;
  const shared = {
    ...MESSAGES_API,
    error: (type: string, message: string, status: number) => ({
      error: { code: status, message, status: type.toUpperCase() },
    }),
  };
  // The body of a count names its model.
  if (model === 'count-tokens') return { ...shared, asks: 'token count' };
  return { ...shared, asks: 'message', model, streams: method === 'streamRawPredict' };
}
