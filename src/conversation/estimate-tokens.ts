import type { CountedPart } from '../spec/counted-part.ts';
import type { ContentBlock, Message } from '../spec/messages.ts';
import { toolResultContent } from './canonical.ts';
import { isMedia } from './carriage.ts';

/** All on the high side: a client that believes too low a number sends what does not fit. */
const TOKENS = {
  request: 20,
  message: 4,
  /** What the API tells the model of tools, whatever they are. */
  anyTools: 350,
  /** An image of usual size, or a short document. */
  media: 2_000,
  /** A character of a base64 document: a page of a PDF has some 50 KB. */
  documentCharacter: 1 / 30,
  /** A character of English or JSON. */
  ascii: 1 / 3.5,
  /** Of another alphabet, such as Cyrillic, Arabic or Thai. */
  otherLetter: 0.8,
  /** Of Chinese, Japanese or Korean. */
  eastAsian: 1.3,
  /** A half of a character beyond the first 65,536, such as an emoji. */
  surrogate: 1.5,
};
/** A longer text is taken to go on as it begins, so that a guess takes no time. */
const SAMPLE = 100_000;

/** Guesses the tokens of a part of a request, for when the API has not counted it. */
export function estimateTokens(part: CountedPart): number {
  return Math.ceil(tokensOf(part));
}

function tokensOf(part: CountedPart): number {
  switch (part.kind) {
    case 'messages':
      return messagesTokens(part.messages);
    case 'text':
      return TOKENS.request + TOKENS.message + textTokens(part.text);
    case 'system':
      return textTokens(part.text);
    case 'tools':
      return TOKENS.anyTools + sum(part.tools.map((tool) => textTokens(JSON.stringify(tool))));
  }
}

function messagesTokens(messages: readonly Message[]): number {
  const blocks = messages.flatMap(({ content }) => content).flatMap(withResultContent);
  return TOKENS.request + messages.length * TOKENS.message + sum(blocks.map(blockTokens));
}

function sum(tokens: readonly number[]): number {
  return tokens.reduce((total, some) => total + some, 0);
}

function withResultContent(block: ContentBlock): ContentBlock[] {
  return block.type === 'tool_result' ? toolResultContent(block) : [block];
}

function blockTokens(block: ContentBlock): number {
  if (typeof block.text === 'string') return textTokens(block.text);
  if (!isMedia(block)) return textTokens(JSON.stringify(block));
  const { type, data } = (block.source ?? {}) as { type?: unknown; data?: unknown };
  if (block.type !== 'document' || typeof data !== 'string') return TOKENS.media;
  return type === 'text' ? textTokens(data) : Math.max(TOKENS.media, data.length * TOKENS.documentCharacter);
}

function textTokens(text: string): number {
  const length = Math.min(text.length, SAMPLE);
  let tokens = 0;
  for (let index = 0; index < length; index += 1) tokens += characterTokens(text.charCodeAt(index));
  return length === 0 ? 0 : (tokens * text.length) / length;
}

function characterTokens(code: number): number {
  if (code < 0x80) return TOKENS.ascii;
  if (code >= 0xd800 && code <= 0xdfff) return TOKENS.surrogate;
  return code >= 0x2e80 ? TOKENS.eastAsian : TOKENS.otherLetter;
}
