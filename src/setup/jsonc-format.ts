import { isDeepStrictEqual } from 'node:util';
import {
  applyEdits,
  createScanner,
  type Edit,
  findNodeAtLocation,
  getNodeValue,
  type Node,
  type ParseError,
  parse as parseJsonc,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';
import {
  type Change,
  type Done,
  type Format,
  type Json,
  lineAt,
  type Part,
  placeOf,
  UneditableText,
} from './change.ts';
import {
  commaAt,
  gapAt,
  indentedChild,
  isLaidOut,
  isTight,
  type Layout,
  layoutAt,
  rootUnit,
  tokensIn,
  unitIn,
} from './jsonc-layout.ts';

/**
 * JSON with comments and trailing commas. The library's own `modify` is not used: it puts a new property between a value and
 * the comment behind it, takes the first of two equal keys, and changes broken texts without complaint.
 */
export const jsoncFormat: Format = {
  edit(given, changes) {
    let text = given.trim() === '' ? '{}\n' : given;
    parse(text);
    const done: Done[] = [];
    for (const change of changes) {
      const made = make(text, change);
      if (!made) continue;
      text = made.text;
      done.push(made.done);
    }
    return done.length === 0 ? { text: given, done } : { text, done };
  },

  revert(given, done) {
    let text = given;
    const left: Done[] = [];
    for (const one of done.toReversed()) {
      const reverted = takeBack(text, one);
      if (reverted === undefined) left.unshift(one);
      text = withoutEmpty(reverted ?? text, one);
    }
    return { text, left };
  },

  read(text, change) {
    if (text.trim() === '') return undefined;
    const node = nodeOf(parse(text), change);
    return node && valueAt(node);
  },

  parts: (text) => [...partsIn(text)],

  isEmpty: (text) => /^\s*(\{\s*\}\s*)?$/.test(text),
};

function* partsIn(text: string): Generator<Part> {
  for (const { offset, token } of tokensIn(text, 0, text.length)) {
    if (/^(\s+|[{}[\]:,])$/.test(token)) yield { kind: 'mark', text: token };
    else if (/^\/[/*]/.test(token)) yield { kind: 'comment', text: token };
    else if (token.startsWith('"') && isKey(text, offset + token.length)) yield { kind: 'key', text: token };
    else yield { kind: 'value', text: token, says: String(parseJsonc(token)) };
  }
}

/** Whether a string that ends here is followed by a colon. */
function isKey(text: string, end: number): boolean {
  for (const { token } of tokensIn(text, end, text.length)) {
    if (!/^(\s|\/[/*])/.test(token)) return token === ':';
  }
  return false;
}

/** How many brackets may be open at once. The library calls itself for each, and would run out of stack at some thousands. */
const MAX_DEPTH = 500;

/** @throws UneditableText for a text that is broken, has equal keys, or is no object */
function parse(text: string): Node {
  refuseDepth(text);
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error)
    throw new UneditableText(`is not valid JSON (${printParseErrorCode(error.error)})`, lineAt(text, error.offset));
  if (root?.type !== 'object') throw new UneditableText('is not a JSON object', 1);
  refuseEqualKeys(text, root);
  return root;
}

function refuseDepth(text: string): void {
  const scanner = createScanner(text, true);
  let depth = 0;
  for (scanner.scan(); scanner.getTokenLength() > 0; scanner.scan()) {
    const first = text[scanner.getTokenOffset()];
    if (first === '{' || first === '[') depth += 1;
    if (first === '}' || first === ']') depth -= 1;
    if (depth > MAX_DEPTH) {
      const line = lineAt(text, scanner.getTokenOffset());
      throw new UneditableText(`is nested deeper than ${MAX_DEPTH} levels`, line);
    }
  }
}

function refuseEqualKeys(text: string, node: Node): void {
  const keys = new Set<unknown>();
  for (const child of node.children ?? []) {
    if (node.type === 'object') {
      const [key] = child.children ?? [];
      if (keys.has(key?.value)) {
        throw new UneditableText(
          `has the key ${JSON.stringify(key?.value)} twice in one object`,
          lineAt(text, child.offset),
        );
      }
      keys.add(key?.value);
    }
    refuseEqualKeys(text, child);
  }
}

/** The value at the change's path; of an item, the item in the list there. */
function nodeOf(root: Node, change: Change): Node | undefined {
  const node = findNodeAtLocation(root, [...change.path]);
  if (change.kind === 'value' || !node) return node;
  if (node.type !== 'array') return undefined;
  return node.children?.find((item) => {
    const by = item.type === 'object' ? findNodeAtLocation(item, [change.by]) : undefined;
    return by !== undefined && isDeepStrictEqual(valueAt(by), change.item[change.by]);
  });
}

function valueAt(node: Node): Json {
  // The library's objects have no prototype, so they equal no others.
  return JSON.parse(JSON.stringify(getNodeValue(node)));
}

function wantedOf(change: Change): Json {
  return change.kind === 'value' ? change.value : change.item;
}

/** @returns undefined if the text has it already */
function make(text: string, change: Change): { text: string; done: Done } | undefined {
  const root = parse(text);
  const present = nodeOf(root, change);
  const depth = depthOf(root, change.path);
  if (present) {
    if (change.kind === 'value' && change.ifAbsent) return undefined;
    if (isDeepStrictEqual(valueAt(present), wantedOf(change))) return undefined;
    return replaced(text, present, wantedOf(change), change, depth);
  }
  const list = change.kind === 'item' && depth === change.path.length;
  const parent = findNodeAtLocation(root, change.path.slice(0, depth)) ?? root;
  if (parent.type !== (list ? 'array' : 'object')) {
    const place = placeOf({ path: change.path.slice(0, depth) });
    throw new UneditableText(`has no ${list ? 'list' : 'object'} at ${place}`, lineAt(text, parent.offset));
  }
  if (list) {
    const inserted = applyEdits(
      text,
      insertion(text, parent, root, (layout) => written(wantedOf(change), layout)),
    );
    return { text: inserted, done: { ...change, depth } };
  }
  const [name = '', ...inner] = change.path.slice(depth);
  const whole: Json = change.kind === 'item' ? [change.item] : change.value;
  const value = inner.reduceRight<Json>((content, key) => ({ [key]: content }), whole);
  const property = (layout: Layout) => `${JSON.stringify(name)}:${layout.space}${written(value, layout)}`;
  return { text: applyEdits(text, insertion(text, parent, root, property)), done: { ...change, depth } };
}

/** How many names of the path there are, from the outermost on. */
function depthOf(root: Node, path: readonly string[]): number {
  let depth = 0;
  while (depth < path.length && findNodeAtLocation(root, path.slice(0, depth + 1))) depth += 1;
  return depth;
}

function replaced(text: string, node: Node, value: Json, change: Change, depth: number) {
  const before = text.slice(node.offset, node.offset + node.length);
  const layout = layoutAt(text, node.offset, rootUnit(text));
  const edit = { offset: node.offset, length: node.length, content: written(value, layout) };
  return { text: applyEdits(text, [edit]), done: { ...change, depth, before } };
}

function written(value: Json, { lineStart, unit, space }: Layout): string {
  if (lineStart === undefined) return space ? inOneLine(value) : JSON.stringify(value);
  return JSON.stringify(value, null, unit).replaceAll('\n', lineStart);
}

function inOneLine(value: Json): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(inOneLine).join(', ')}]`;
  const properties = Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}: ${inOneLine(inner)}`);
  return `{ ${properties.join(', ')} }`;
}

/** Puts a property or an item behind the last one, and behind the comments that belong to that. */
function insertion(text: string, parent: Node, root: Node, content: (layout: Layout) => string): Edit[] {
  const close = parent.offset + parent.length - 1;
  const unit = unitIn(text, parent) ?? rootUnit(text);
  const last = parent.children?.at(-1);
  const from = last ? last.offset + last.length : parent.offset + 1;
  const { comma, end, lineBreak } = gapAt(text, from, close, last === undefined);
  const needsComma = last !== undefined && comma === undefined;
  const separator: Edit[] = needsComma ? [{ offset: from, length: 0, content: ',' }] : [];
  const trailing = last !== undefined && comma !== undefined ? ',' : '';
  if (lineBreak !== undefined || (!last && isLaidOut(text, root))) {
    const { lineStart = '\n' } = layoutAt(text, parent.offset, unit);
    const begin = last && indentedChild(text, parent) ? layoutAt(text, last.offset, unit).lineStart : lineStart + unit;
    const inner = `${begin}${content({ lineStart: begin, unit, space: ' ' })}${trailing}`;
    if (lineBreak !== undefined) return [...separator, { offset: lineBreak, length: 0, content: inner }];
    return [{ offset: end, length: close - end, content: inner + lineStart }];
  }
  const space = isTight(text, root) ? '' : ' ';
  const gap = last || end > from ? space : '';
  const inner = content({ lineStart: undefined, unit, space });
  return [...separator, { offset: end, length: 0, content: `${gap}${inner}${trailing}` }];
}

/** @returns undefined if what stands there is not what was written */
function takeBack(text: string, done: Done): string | undefined {
  const node = nodeOf(parse(text), done);
  if (!node || !isDeepStrictEqual(valueAt(node), wantedOf(done))) return undefined;
  const edits =
    done.before === undefined
      ? removal(text, done.kind === 'value' ? (node.parent ?? node) : node)
      : [{ offset: node.offset, length: node.length, content: done.before }];
  return applyEdits(text, edits);
}

/** Without the objects that were written for the change, as far as nothing is in them any more. */
function withoutEmpty(given: string, { path, depth, before }: Done): string {
  let text = given;
  if (before !== undefined) return text;
  for (let length = path.length; length > depth; length -= 1) {
    const node = findNodeAtLocation(parse(text), path.slice(0, length));
    if (!node) continue;
    if (!node.children || node.children.length > 0 || hasComment(text, node) || !node.parent) break;
    text = applyEdits(text, removal(text, node.parent));
  }
  return text;
}

function hasComment(text: string, { offset, length }: Node): boolean {
  return text.slice(offset + 1, offset + length - 1).trim() !== '';
}

/** Takes a property or an item out of what it stands in. Comments stay, those on its line too. */
function removal(text: string, node: Node): Edit[] {
  const siblings = node.parent?.children ?? [];
  const previous = siblings[siblings.indexOf(node) - 1];
  const end = node.offset + node.length;
  const comma = commaAt(text, end);
  const isLast = siblings.at(-1) === node;
  const edits: Edit[] = [];
  // The comma that made room for the last one goes with it, unless the text has trailing commas.
  const before =
    previous && isLast && comma === undefined ? commaAt(text, previous.offset + previous.length) : undefined;
  if (before !== undefined) edits.push({ offset: before, length: 1, content: '' });
  const lineStart = /(\r\n|\n|\r)?[ \t]*$/.exec(text.slice(0, node.offset))?.[0].length ?? 0;
  const isAlone = comma === undefined || text.slice(end, comma).trim() === '';
  const to = comma !== undefined && isAlone ? comma + 1 : end;
  const restOfLine = /^[ \t]*(?=[\r\n])/.exec(text.slice(to))?.[0].length;
  const beginsLine = /[\r\n][ \t]*$/.test(text.slice(0, node.offset));
  if (comma !== undefined && !isAlone) edits.push({ offset: comma, length: 1, content: '' });
  if (beginsLine && restOfLine !== undefined) {
    edits.push({ offset: node.offset - lineStart, length: to + restOfLine - node.offset + lineStart, content: '' });
  } else if (previous && !beginsLine) {
    edits.push({ offset: node.offset - lineStart, length: to - node.offset + lineStart, content: '' });
  } else edits.push({ offset: node.offset, length: to - node.offset, content: '' });
  return edits;
}
