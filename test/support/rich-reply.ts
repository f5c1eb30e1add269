import type { Reply } from '../../scripted-model/script.ts';

/** An answer with every kind of block that the model writes, one character a delta. */
export const RICH_REPLY: Reply = {
  content: [
    { type: 'thinking', thinking: 'let me think', signature: 'signature+/=' },
    { type: 'redacted_thinking', data: 'opaque' },
    { type: 'text', text: 'Grüße 👩‍👩‍👧 '.repeat(20) },
    { type: 'tool_use', id: 'toolu_a', name: 'read', input: { path: 'ä', deep: [{ a: 1 }] } },
    { type: 'tool_use', id: 'toolu_b', name: 'read', input: {} },
  ],
  usage: { input_tokens: 11, output_tokens: 72, cache_read_input_tokens: 5, cache_creation_input_tokens: 3 },
  delta_length: 1,
};
