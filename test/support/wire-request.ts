import { canonicalMessage } from '../../src/conversation/canonical.ts';
import { carriedForm } from '../../src/conversation/carried-form.ts';
import type { WireRequest } from '../../src/dialects/dialect.ts';
import type { Message, MessagesRequest } from '../../src/spec/messages.ts';

/** A request as it comes to a gateway that has just begun, without any header. */
export function wireRequest(body: unknown, more: Partial<WireRequest> = {}): WireRequest {
  return {
    body,
    header: () => undefined,
    strict: false,
    mayHoldLoneSurrogates: true,
    passesBeta: () => true,
    aliasOf: () => undefined,
    models: () => ['claude-opus-5-5', 'claude-sonnet-5'],
    agentModel: () => undefined,
    idOf: (name) => name,
    bytes: 100,
    memory: { get: () => undefined, put: () => undefined },
    ...more,
  };
}

/** The first message of the assistant; an empty one if there is none. */
export function assistantIn({ messages }: MessagesRequest): Message {
  return messages.find(({ role }) => role === 'assistant') ?? { role: 'assistant', content: [] };
}

/** A message of the assistant as the lineage compares it. */
export function lineageOf({ role, content }: Message): string[] {
  return canonicalMessage({ role, content: carriedForm(content).content });
}
