import type { CountedPart } from '../spec/counted-part.ts';
import type { Message, MessagesRequest } from '../spec/messages.ts';

/** The parts of a request whose tokens are counted: a system prompt and tools if it has them, its messages always. */
export function countedParts({ messages, system, tools }: MessagesRequest): CountedPart[] {
  return [
    ...(system === '' ? [] : [{ kind: 'system', text: system } satisfies CountedPart]),
    messagesPart(messages),
    ...(tools.length === 0 ? [] : [{ kind: 'tools', tools } satisfies CountedPart]),
  ];
}

function messagesPart(messages: readonly Message[]): CountedPart {
  const [message, ...others] = messages;
  const [block, ...rest] = message?.content ?? [];
  const isOneText = others.length === 0 && rest.length === 0 && message?.role === 'user' && block?.type === 'text';
  return isOneText && typeof block.text === 'string'
    ? { kind: 'text', text: block.text }
    : { kind: 'messages', messages };
}
