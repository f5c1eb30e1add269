import { markdownOf, sitePages } from '../../site/pages.js';

/** A block of code of a document. */
export interface DocumentBlock {
  /** `docs/http.md:12`: the file and the line of its fence. */
  place: string;
  /** The first word behind the fence: `sh`, `json`, `js`; empty without one. */
  language: string;
  /** Whether a second word, `run`, says that the block is run by a test. */
  isRun: boolean;
  text: string;
}

/** Every fenced block of the documents, in the order of the site. */
export function documentBlocks(): DocumentBlock[] {
  return sitePages().flatMap(({ source }) => {
    const text = markdownOf(source);
    return [...text.matchAll(/^( *)```(\w*)( run)?\n(.*?)^\1```$/gms)].map(
      ([, indent = '', language = '', run, lines = ''], at, all) => ({
        place: `${source}:${text.slice(0, all[at]?.index).split('\n').length}`,
        language,
        isRun: run !== undefined,
        text: lines.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
      }),
    );
  });
}

/** Every span of code in the text of the documents, with its place. */
export function codeSpans(): { place: string; text: string }[] {
  return sitePages().flatMap(({ source }) => {
    const text = markdownOf(source).replace(/^( *)```.*?^\1```$/gms, (block) => block.replace(/[^\n]/g, ''));
    return [...text.matchAll(/`([^`\n]+)`/g)].map(({ 1: span = '', index }) => ({
      place: `${source}:${text.slice(0, index).split('\n').length}`,
      text: span,
    }));
  });
}
