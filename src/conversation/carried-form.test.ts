import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ContentBlock } from '../spec/messages.ts';
import { carriedForm } from './carried-form.ts';

/** A block by one letter: a call, text, thinking, redacted thinking, a blank text, an empty one, one that nobody knows. */
const BLOCKS: Record<string, ContentBlock> = {
  c: { type: 'tool_use', id: 'c', name: 'n', input: {} },
  t: { type: 'text', text: 'x' },
  h: { type: 'thinking', thinking: 'h', signature: 's' },
  r: { type: 'redacted_thinking', data: 'd' },
  b: { type: 'text', text: '\n\n' },
  e: { type: 'text', text: '' },
  f: { type: 'future_block' },
};
const blocks = (letters: string): ContentBlock[] => [...letters].map((letter) => BLOCKS[letter] as ContentBlock);
const letters = (content: ContentBlock[]): string =>
  content.map((block) => Object.keys(BLOCKS).find((letter) => BLOCKS[letter] === block)).join('');

describe('the order, as both a live process and a replay were seen to send it', () => {
  test.each([
    ['ct', 'tc', [1]],
    ['tctc', 'ttcc', [2]],
    ['hchc', 'hchc', []],
    ['rchc', 'rchc', []],
    ['ch', 'hc', [1]],
    ['cht', 'htc', [1, 2]],
    ['htchtc', 'hthtcc', [3, 4]],
    ['crc', 'rcc', [1]],
    ['tchc', 'thcc', [2]],
    ['hchctc', 'hchctc', []],
    ['hctc', 'htcc', [2]],
    ['cfc', 'fcc', [1]],
    ['fcc', 'fcc', []],
    ['ccttt', 'tttcc', [2, 3, 4]],
  ])('%s is sent as %s', (sent, carried, converted) => {
    const found = carriedForm(blocks(sent));
    expect(letters(found.content)).toBe(carried);
    expect(found).toMatchObject({ converted, left: [] });
  });

  test.each([
    ['bc', 'c', [[0]], []],
    ['et', 't', [[0]], []],
    ['hbc', 'hc', [[1]], []],
    ['hbchc', 'hchc', [[1]], []],
    ['cbc', 'cc', [[1]], []],
    ['hbhc', 'hbhc', [], []],
    ['hehc', 'hehc', [], [1]],
  ])('%s is sent as %s, as for its blank text', (sent, carried, left, converted) => {
    const found = carriedForm(blocks(sent));
    expect(letters(found.content)).toBe(carried);
    expect(found).toMatchObject({ left, converted });
  });
});

test.each<[string, ContentBlock[], ContentBlock[], Array<Array<number | string>>]>([
  [
    'fields of a call',
    [{ ...BLOCKS.c, caller: { type: 'direct' }, x: null } as ContentBlock],
    [BLOCKS.c as ContentBlock],
    [[0, 'caller']],
  ],
  [
    'fields of a text',
    [{ ...BLOCKS.t, parsed_output: {}, x: null } as ContentBlock],
    [BLOCKS.t as ContentBlock],
    [[0, 'parsed_output']],
  ],
  ['no citations', [{ ...BLOCKS.t, citations: [] } as ContentBlock], [BLOCKS.t as ContentBlock], []],
  [
    'citations but of a web search',
    [{ ...BLOCKS.t, citations: [{ type: 'char_location' }, { type: 'web_search_result_location' }] } as ContentBlock],
    [{ ...BLOCKS.t, citations: [{ type: 'web_search_result_location' }] } as ContentBlock],
    [[0, 'citations']],
  ],
  [
    'a server’s call without its result',
    [
      { type: 'mcp_tool_use', id: 'm' },
      { type: 'server_tool_use', id: 's' },
      { type: 'x_tool_result', tool_use_id: 's' },
    ],
    [
      { type: 'server_tool_use', id: 's' },
      { type: 'x_tool_result', tool_use_id: 's' },
    ],
    [[0]],
  ],
  [
    'what only Claude Code’s own features read',
    [
      { type: 'fallback' },
      { type: 'server_tool_use', id: 's', name: 'advisor' },
      { type: 'advisor_tool_result', tool_use_id: 's' },
    ],
    [],
    [[0], [1], [2]],
  ],
])('%s', (_name, sent, carried, left) => {
  expect(carriedForm(sent)).toEqual({ content: carried, left, converted: [] });
});

test('what was carried once is carried unaltered', () => {
  const content = fc.array(fc.constantFrom(...'cthrbf'), { maxLength: 9 }).map((sent) => blocks(sent.join('')));
  fc.assert(
    fc.property(content, (sent) => {
      const once = carriedForm(sent).content;
      // Blank text comes to stand elsewhere, or not between thinking any more.
      if (once.some(({ text }) => text === '\n\n')) return;
      expect(carriedForm(once)).toEqual({ content: once, left: [], converted: [] });
    }),
  );
});
