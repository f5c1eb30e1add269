import { isDeepStrictEqual } from 'node:util';
import {
  CST,
  type Document,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  stringify,
  visit,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import { type Change, type Done, type Format, type Json, type Part, placeOf, UneditableText } from './change.ts';

/**
 * YAML, as far as clients need it: values and lists of objects at the top. The library says where everything stands; it does not
 * write the text, since it would lay out anew what it keeps.
 */
export const yamlFormat: Format = {
  edit(given, changes) {
    let text = given;
    parse(text);
    const done: Done[] = [];
    for (const change of changes) {
      const made = make(text, change);
      if (!made) continue;
      refuseOther(text, made.text, change);
      text = made.text;
      done.push(made.done);
    }
    return { text, done };
  },

  revert(given, done) {
    let text = given;
    const left: Done[] = [];
    for (const one of done.toReversed()) {
      const reverted = takeBack(text, one);
      if (reverted === undefined) left.unshift(one);
      text = reverted ?? text;
    }
    return { text, left };
  },

  read: (text, change) => readAt(parse(text).root, change),

  parts: (text) => [...partsIn(text)],

  isEmpty: (text) => text.trim() === '',
};

/** What stands for a list without items, which become lines of their own. */
const EMPTY_LIST = /^(\[\s*\]|null|~)$/i;

interface Parsed {
  /** What the text says, what stands for something else included. */
  value: unknown;
  /** Undefined in a text without any content. */
  root: YAMLMap | undefined;
  lines: LineCounter;
}

/** @throws UneditableText for a text that is broken, has equal keys, or is no map of lines */
function parse(text: string): Parsed {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const { contents, errors } = document;
  const [error] = errors;
  if (error) {
    const { line = 1 } = error.linePos?.[0] ?? {};
    if (error.code === 'DUPLICATE_KEY') throw new UneditableText('has a key twice', line);
    throw new UneditableText(`is not valid YAML (${error.code})`, line);
  }
  if (contents === null || contents.toJSON() === null) return { value: {}, root: undefined, lines };
  if (!isMap(contents) || contents.flow) throw new UneditableText('is not a map of YAML with a key on each line', 1);
  return { value: resolved(document, lines), root: contents, lines };
}

/** @throws UneditableText for an alias that stands for nothing, or for too much */
function resolved(document: Document.Parsed, lines: LineCounter): unknown {
  try {
    return document.toJS();
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    let line = 1;
    visit(document, {
      Alias(_key, alias) {
        if (alias.resolve(document)) return undefined;
        line = lines.linePos(startOf(alias)).line;
        return visit.BREAK;
      },
    });
    throw new UneditableText('has an alias that cannot be resolved', line);
  }
}

const LIBRARY_MARKS: readonly string[] = [CST.DOCUMENT, CST.FLOW_END, CST.SCALAR];

const MARKS: readonly (string | null)[] = [
  ...['space', 'newline', 'doc-start', 'doc-end', 'comma', 'map-value-ind', 'explicit-key-ind', 'seq-item-ind'],
  ...['flow-map-start', 'flow-map-end', 'flow-seq-start', 'flow-seq-end', 'block-scalar-header', 'byte-order-mark'],
];

function* partsIn(text: string): Generator<Part> {
  const tokens = [...new Lexer().lex(text)];
  for (const [at, token] of tokens.entries()) {
    // The library's own marks. The one before a scalar tells it from what it looks like.
    if (LIBRARY_MARKS.includes(token)) continue;
    const kind = tokens[at - 1] === CST.SCALAR ? 'scalar' : CST.tokenType(token);
    if (MARKS.includes(kind)) yield { kind: 'mark', text: token };
    else if (kind === 'comment') yield { kind: 'comment', text: token };
    else if (isKey(tokens, at)) yield { kind: 'key', text: token };
    else yield { kind: 'value', text: token, says: kind === 'scalar' ? token : quoted(token) };
  }
}

/** Whether a colon follows. */
function isKey(tokens: readonly string[], at: number): boolean {
  let next = at + 1;
  while (/^[ \t]+$/.test(tokens[next] ?? '')) next += 1;
  return tokens[next] === ':';
}

/** What stands in quotes; undefined if nothing does. */
function quoted(token: string): string | undefined {
  if (!/^["']/.test(token)) return undefined;
  const { contents, errors } = parseDocument(token);
  return isScalar(contents) && errors.length === 0 ? String(contents.value) : undefined;
}

function pairOf(root: YAMLMap | undefined, { path }: Change): Pair<Node, Node | null> | undefined {
  const [name] = path;
  if (path.length !== 1) throw new Error(`${placeOf({ path })} is not at the top`);
  const pair = root?.items.find(({ key }) => isNode(key) && key.toJSON() === name);
  return isPair<Node, Node | null>(pair) ? pair : undefined;
}

function itemOf(list: unknown, change: Change): Node | undefined {
  if (!isSeq(list) || change.kind !== 'item') return undefined;
  const wanted = change.item[change.by];
  return list.items.filter(isMap).find((item) => isDeepStrictEqual(item.get(change.by), wanted));
}

function readAt(root: YAMLMap | undefined, change: Change): Json | undefined {
  const value = pairOf(root, change)?.value;
  return (change.kind === 'value' ? value : itemOf(value, change))?.toJSON();
}

/** @returns undefined if the text has it already */
function make(text: string, change: Change): { text: string; done: Done } | undefined {
  const { root, lines } = parse(text);
  const pair = pairOf(root, change);
  const indent = root ? columnOf(text, startOf(root)) : '';
  if (change.kind === 'value') {
    if (!pair) {
      const line = `${indent}${change.path.at(-1)}: ${inOneLine(change.value)}`;
      return { text: withLines(text, endOf(text, root), [line]), done: { ...change, depth: 0 } };
    }
    if (change.ifAbsent || isDeepStrictEqual(pair.value?.toJSON(), change.value)) return undefined;
    return replaced(text, pair.value, inOneLine(change.value), { ...change, depth: 1 }, lines);
  }
  const item = itemLines(change.item);
  const list = pair?.value;
  const same = itemOf(list, change);
  if (same) {
    if (isDeepStrictEqual(same.toJSON(), change.item)) return undefined;
    const column = columnOf(text, startOf(same)).replace(/\S/g, ' ');
    return replaced(text, same, item.join(breakIn(text) + column), { ...change, depth: 1 }, lines);
  }
  const asItem = (dash: string, pad: string) => item.map((line, at) => (at === 0 ? dash : pad) + line);
  if (isSeq(list) && list.items.length > 0) {
    const column = columnOf(text, startOf(list));
    if (list.flow || column.trim() !== '') throw uneditable(list, lines);
    const gap = /^-[ ]*/.exec(text.slice(startOf(list)))?.[0] ?? '- ';
    const dash = `${column}${/^-\s*$/.test(gap) && gap.length > 1 ? gap : '- '}`;
    return {
      text: withLines(text, endOf(text, list), asItem(dash, ' '.repeat(dash.length))),
      done: { ...change, depth: 1 },
    };
  }
  const dash = `${indent}  - `;
  const inner = asItem(dash, ' '.repeat(dash.length));
  if (!pair) {
    return {
      text: withLines(text, endOf(text, root), [`${indent}${change.path[0]}:`, ...inner]),
      done: { ...change, depth: 0 },
    };
  }
  if (list && !isSeq(list) && list.toJSON() !== null) throw uneditable(list, lines);
  const [from, to] = list?.range ?? [];
  if (from !== undefined && to !== undefined && to > from) {
    const opened = `${text.slice(0, from).trimEnd()}${text.slice(to)}`;
    const at = lineEnd(opened, text.slice(0, from).trimEnd().length);
    return { text: withLines(opened, at, inner), done: { ...change, depth: 1, before: text.slice(from, to) } };
  }
  return { text: withLines(text, lineEnd(text, pair.key.range?.[1] ?? 0), inner), done: { ...change, depth: 1 } };
}

function uneditable(node: Node, lines: LineCounter): UneditableText {
  return new UneditableText(
    'has something here that is not a list with an item on each line',
    lines.linePos(startOf(node)).line,
  );
}

function replaced(text: string, node: Node | null, content: string, done: Done, lines: LineCounter) {
  if (!node?.range || node.range[0] === node.range[1])
    throw new UneditableText(`has no value at ${placeOf(done)}`, node ? lines.linePos(startOf(node)).line : 1);
  const to = valueEnd(node);
  const before = text.slice(node.range[0], to).replace(/[\r\n]+$/, '');
  return {
    text: text.slice(0, node.range[0]) + content + text.slice(node.range[0] + before.length),
    done: { ...done, before },
  };
}

/** @throws UneditableText if anything else than the change has changed */
function refuseOther(before: string, after: string, change: Change): void {
  const expected = parse(before).value as { [key: string]: Json };
  const [name = ''] = change.path;
  if (change.kind === 'value') expected[name] = change.value;
  else {
    const list = (expected[name] ?? []) as Array<{ [key: string]: Json }>;
    const at = list.findIndex((item) => isDeepStrictEqual(item?.[change.by], change.item[change.by]));
    expected[name] = at < 0 ? [...list, change.item] : list.with(at, change.item);
  }
  if (isDeepStrictEqual(parse(after).value, expected)) return;
  throw new UneditableText(`cannot be changed at ${name} without a change of something else`, 1);
}

/** @returns undefined if what stands there is not what was written */
function takeBack(text: string, done: Done): string | undefined {
  const { root } = parse(text);
  const pair = pairOf(root, done);
  const node = done.kind === 'value' ? pair?.value : itemOf(pair?.value, done);
  const wanted = done.kind === 'value' ? done.value : done.item;
  if (!pair || !node?.range || !isDeepStrictEqual(node.toJSON(), wanted)) return undefined;
  const [from, to] = [node.range[0], valueEnd(node)];
  const isReplaced = done.before !== undefined && !EMPTY_LIST.test(done.before);
  // A comment that somebody has written to it would go with it.
  if (/(^|\s)#/m.test(text.slice(from, to)) || (!isReplaced && /^[^\r\n]*[ \t]#/.test(text.slice(to))))
    return undefined;
  if (isReplaced) return text.slice(0, from) + done.before + text.slice(to);
  if (done.kind === 'value') return withoutLines(text, startOf(pair.key), to);
  const list = pair.value as YAMLSeq;
  if (list.items.length > 1) return withoutLines(text, from, to);
  if (done.depth === 0) return withoutLines(text, startOf(pair.key), to);
  const emptied = withoutLines(text, from, to);
  const colon = emptied.indexOf(':', pair.key.range?.[1] ?? 0) + 1;
  return done.before === undefined ? emptied : `${emptied.slice(0, colon)} ${done.before}${emptied.slice(colon)}`;
}

function startOf(node: Node): number {
  return node.range?.[0] ?? 0;
}

/** Behind a value, before the comment and the break behind it. */
function valueEnd(node: Node): number {
  const last = isMap(node) || isSeq(node) ? node.items.at(-1) : undefined;
  if (last === undefined || (node as YAMLMap).flow) return node.range?.[1] ?? 0;
  if (!isPair(last)) return valueEnd(last as Node);
  return valueEnd((last.value ?? last.key) as Node);
}

/** Where the next line can stand behind a node, or in a text without content. */
function endOf(text: string, node: Node | undefined): number {
  return node ? lineEnd(text, valueEnd(node)) : text.length;
}

function lineEnd(text: string, from: number): number {
  if (text[from - 1] === '\n') return from;
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end + 1;
}

/** What stands on its line before an offset. */
function columnOf(text: string, offset: number): string {
  return text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset);
}

function withLines(text: string, at: number, lines: readonly string[]): string {
  const lineBreak = breakIn(text);
  const isOpen = at > 0 && text[at - 1] !== '\n';
  const content = lines.join(lineBreak);
  // A text whose last line has no break gets none.
  return text.slice(0, at) + (isOpen ? lineBreak + content : content + lineBreak) + text.slice(at);
}

/** Without the lines from one offset to another. */
function withoutLines(text: string, from: number, to: number): string {
  const start = text.lastIndexOf('\n', from - 1) + 1;
  const end = lineEnd(text, to);
  const isLast = end === text.length && text[end - 1] !== '\n';
  return text.slice(0, start).replace(isLast ? /\r?\n$/ : /$^/, '') + text.slice(end);
}

function breakIn(text: string): string {
  return /\r?\n/.exec(text)?.[0] ?? '\n';
}

function itemLines(item: { [key: string]: Json }): string[] {
  return Object.entries(item).map(([name, value]) => `${name}: ${inOneLine(value)}`);
}

function inOneLine(value: Json): string {
  return stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trimEnd();
}
