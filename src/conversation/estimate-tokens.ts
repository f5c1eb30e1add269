import type { ContentBlock, MessagesRequest } from '../spec/messages.ts';
import { toolResultContent } from './canonical.ts';
import { isMedia } from './carriage.ts';

/** Characters of English or JSON in a token; low, so that the estimate is rather too high. */
const CHARACTERS_PER_TOKEN = 3.5;
/** Tokens of an image of usual size, or of a short document. */
const TOKENS_PER_MEDIA = 2_000;

/** Guesses the tokens of a request, for when the API cannot count them. */
export function estimateTokens({ system, messages, tools }: MessagesRequest): number {
  const blocks = messages.flatMap(({ content }) => content).flatMap(withResultContent);
  const media = blocks.filter(isMedia).length;
  const texts = [
    system,
    ...tools.map((tool) => JSON.stringify(tool)),
    ...blocks.filter((block) => !isMedia(block)).map(textOf),
  ];
  const characters = texts.reduce((sum, text) => sum + text.length, 0);
  return Math.ceil(characters / CHARACTERS_PER_TOKEN) + media * TOKENS_PER_MEDIA + messages.length * 4;
}

function withResultContent(block: ContentBlock): ContentBlock[] {
  return block.type === 'tool_result' ? toolResultContent(block) : [block];
}

function textOf(block: ContentBlock): string {
  return typeof block.text === 'string' ? block.text : JSON.stringify(block);
}
