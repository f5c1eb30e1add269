import { badRequest, unsupported } from '../../spec/failures.ts';
import type { ContentBlock, JsonObject } from '../../spec/messages.ts';
import { jsonObject, parse } from '../body/shapes.ts';

/** What was not taken as sent. */
export interface PartDeclarations {
  ignored: string[];
}

/** A block with the path of the part that it was made of. */
export interface PlacedBlock {
  block: ContentBlock;
  path: string;
}

const DATA_URL = /^\s*data:([^;,]*)((?:;[^;,]*)*),/i;
const WEB_URL = /^https?:\/\//i;
/** Names that programs write for those that the API takes. */
const MEDIA_TYPES: Readonly<Record<string, string>> = { 'image/jpg': 'image/jpeg' };

/**
 * The blocks of a message's content: text, images and files of either API. Empty text is left out.
 *
 * @param content a string, a list of parts, or nothing
 * @param path of the content in the client's body
 * @throws FailureError `bad_request` for a part that cannot reach the model, by its path
 */
export function blocksOfParts(content: unknown, path: string, declared: PartDeclarations): ContentBlock[] {
  return placedBlocks(content, path, declared).map(({ block }) => block);
}

/** The same, each block with the path of its part. */
export function placedBlocks(content: unknown, path: string, declared: PartDeclarations): PlacedBlock[] {
  if (content == null || content === '') return [];
  if (typeof content === 'string') return [{ block: { type: 'text', text: content }, path }];
  if (!Array.isArray(content)) throw badRequest(path, 'must be a string or a list of content parts');
  return content.flatMap((part, at) => {
    const place = `${path}.${at}`;
    const block = blockOfPart(parse(jsonObject, part, place), place, declared);
    return block === undefined ? [] : [{ block, path: place }];
  });
}

/**
 * The words of a part where OpenAI's APIs take nothing else.
 *
 * @param who holds it, such as `an instruction`
 * @throws FailureError `bad_request` for an image or a file
 */
export function textOf({ block, path }: PlacedBlock, who: string): string {
  if (block.type !== 'text') throw badRequest(path, `${who} may hold text only`);
  return String(block.text);
}

function blockOfPart(part: JsonObject, path: string, declared: PartDeclarations): ContentBlock | undefined {
  switch (part.type) {
    case 'text':
    case 'input_text':
    case 'output_text':
      return textBlock(part.text, `${path}.text`);
    case 'refusal':
      return textBlock(part.refusal, `${path}.refusal`);
    case 'image_url': {
      const image = parse(jsonObject, part.image_url, `${path}.image_url`);
      if (image.detail != null && image.detail !== 'auto') declared.ignored.push(`${path}.image_url.detail`);
      return imageBlock(image.url, `${path}.image_url.url`);
    }
    case 'input_image':
      if (part.detail != null && part.detail !== 'auto') declared.ignored.push(`${path}.detail`);
      if (part.file_id != null) throw noStoredFiles(`${path}.file_id`);
      return imageBlock(part.image_url, `${path}.image_url`);
    case 'file':
      return fileBlock(parse(jsonObject, part.file, `${path}.file`), `${path}.file`);
    case 'input_file':
      return fileBlock(part, path);
    case 'tool_use':
    case 'tool_result':
      throw unsupported(
        path,
        `a part of the type \`${part.type}\` belongs to the Messages API; send calls as tool calls and results as tool messages`,
      );
    default:
      throw unsupported(
        path,
        `parts of the type ${JSON.stringify(part.type)?.slice(0, 100)} do not reach the model; send text, images by URL or data URL, and PDF or text files by data URL`,
      );
  }
}

function textBlock(text: unknown, path: string): ContentBlock | undefined {
  if (text === '') return undefined;
  if (typeof text !== 'string') throw badRequest(path, 'must be a string');
  return { type: 'text', text };
}

function imageBlock(url: unknown, path: string): ContentBlock {
  if (typeof url !== 'string') throw badRequest(path, 'must be a string');
  if (WEB_URL.test(url)) return { type: 'image', source: { type: 'url', url } };
  const { media_type, data } = dataOf(url, path);
  return { type: 'image', source: { type: 'base64', media_type, data } };
}

function fileBlock(file: JsonObject, path: string): ContentBlock {
  if (file.file_id != null) throw noStoredFiles(`${path}.file_id`);
  const title = typeof file.filename === 'string' && file.filename !== '' ? { title: file.filename } : {};
  if (typeof file.file_url === 'string') {
    if (!WEB_URL.test(file.file_url))
      throw badRequest(`${path}.file_url`, 'must be a URL that begins with http:// or https://');
    return { type: 'document', source: { type: 'url', url: file.file_url }, ...title };
  }
  const { media_type, data, charset } = dataOf(file.file_data, `${path}.file_data`);
  if (media_type.startsWith('text/')) {
    const text = textIn(data, charset, `${path}.file_data`);
    return { type: 'document', source: { type: 'text', media_type: 'text/plain', data: text }, ...title };
  }
  if (media_type !== 'application/pdf') {
    throw badRequest(
      `${path}.file_data`,
      `the model reads PDF and text files; this one is ${JSON.stringify(media_type)}`,
    );
  }
  return { type: 'document', source: { type: 'base64', media_type, data }, ...title };
}

/** What a data URL holds, in base64 without white space. */
function dataOf(url: unknown, path: string): { media_type: string; data: string; charset: string | undefined } {
  const [head = '', type = '', flags = ''] = (typeof url === 'string' && DATA_URL.exec(url)) || [];
  if (typeof url !== 'string' || type.trim() === '' || !/;\s*base64\s*$/i.test(flags)) {
    throw badRequest(
      path,
      'must be a data URL with base64, `data:TYPE;base64,…`, or for images a URL that begins with http:// or https://',
    );
  }
  const media = type.trim().toLowerCase();
  return {
    media_type: MEDIA_TYPES[media] ?? media,
    data: url.slice(head.length).replaceAll(/\s+/g, ''),
    charset: /;\s*charset=([^;\s]+)/i.exec(flags)?.[1],
  };
}

function textIn(data: string, charset: string | undefined, path: string): string {
  try {
    return new TextDecoder(charset).decode(Buffer.from(data, 'base64'));
  } catch {
    throw badRequest(path, `there is no charset ${JSON.stringify(charset?.slice(0, 100))}; send the text as UTF-8`);
  }
}

function noStoredFiles(path: string) {
  return unsupported(path, 'files stored at OpenAI do not reach the model; send the file itself as a data URL');
}
