import fc from 'fast-check';
import type { Json } from '../../src/setup/change.ts';

/** How a text is laid out. */
interface Style {
  /** What a level is indented by; undefined if all is on one line. */
  indent: string | undefined;
  /** Whether a text of one line has spaces. */
  isAiry: boolean;
  lineBreak: string;
  trailingCommas: boolean;
  /** What stands in the gaps, one after the other; '' where nothing does. */
  comments: string[];
  finalBreak: boolean;
}

/** A settings file as people and programs write them, and what it says. */
export interface GeneratedJsonc {
  text: string;
  value: { [key: string]: Json };
}

/** With brackets, quotes and commas that are none. */
const WORDS = ['note', '"a": 1,', '}', '{ "provider": {} }', 'http://x/y', '', '\\', 'ä 🎈', ', ,', '* /'];

const style: fc.Arbitrary<Style> = fc.record({
  indent: fc.constantFrom('  ', '    ', '\t', undefined),
  isAiry: fc.boolean(),
  lineBreak: fc.constantFrom('\n', '\r\n'),
  trailingCommas: fc.boolean(),
  comments: fc.array(
    fc.oneof({ weight: 3, arbitrary: fc.constant('') }, { weight: 2, arbitrary: fc.constantFrom(...WORDS) }),
    {
      minLength: 1,
      maxLength: 12,
    },
  ),
  finalBreak: fc.boolean(),
});

const scalar = fc.oneof(
  fc.constantFrom<Json>(true, false, null, 'text', 'say "hi"', 'a\\b', '// no comment', '/* none */', '{,}', '\u2028'),
  fc.integer(),
);

/**
 * @param keys some of them are those of what is changed
 * @param value what stands at such a key, if it is to be of a kind
 */
export function generatedJsonc(keys: readonly string[], known: Readonly<Record<string, fc.Arbitrary<Json>>> = {}) {
  const key = fc.constantFrom(...keys, 'theme', 'a b', 'hooks', '$schema', 'toString', 'é"');
  const { tree } = fc.letrec<{ tree: Json; node: Json }>((tie) => ({
    node: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      scalar,
      fc.array(tie('node'), { maxLength: 3 }),
      tie('tree'),
    ),
    tree: fc
      .uniqueArray(
        key.chain((name) =>
          fc.tuple(
            fc.constant(name),
            (Object.hasOwn(known, name) && known[name]) || (keys.includes(name) ? tie('tree') : tie('node')),
          ),
        ),
        { selector: ([name]) => name, maxLength: 5 },
      )
      .map((entries) => Object.fromEntries(entries)),
  }));
  return fc.tuple(tree, style).map(([value, how]): GeneratedJsonc => {
    const object = value as GeneratedJsonc['value'];
    return { value: object, text: render(object, how) };
  });
}

function render(value: Json, { indent, isAiry, lineBreak, trailingCommas, comments, finalBreak }: Style): string {
  let next = 0;
  /** A comment of this gap, if there is one. */
  const gap = (canEndLine: boolean) => {
    const words = comments[next++ % comments.length] ?? '';
    if (words === '') return '';
    return canEndLine && next % 2 === 0 ? ` // ${words}` : ` /* ${words} */`;
  };
  const put = (inner: Json, level: number): string => {
    if (typeof inner !== 'object' || inner === null) return JSON.stringify(inner);
    const isList = Array.isArray(inner);
    const [open, close] = isList ? ['[', ']'] : ['{', '}'];
    const space = isAiry ? ' ' : '';
    const rows = isList
      ? inner.map((item) => put(item, level + 1))
      : Object.entries(inner).map(
          ([name, item]) =>
            `${JSON.stringify(name)}${gap(false)}:${indent === undefined ? space : ' '}${put(item, level + 1)}`,
        );
    if (rows.length === 0 && comments.length % 3 > 0) return open + close;
    if (indent === undefined) {
      const all = rows.map(
        (row, at) => `${row}${gap(false)}${at < rows.length - 1 || trailingCommas ? `,${gap(false)}` : ''}`,
      );
      return `${open}${space}${all.join(space)}${space}${close}`;
    }
    const start = lineBreak + indent.repeat(level + 1);
    const all = rows.map((row, at) => {
      const comma = at < rows.length - 1 || trailingCommas ? ',' : '';
      const above = gap(true);
      return `${above && start + above.trim()}${start}${row}${comma ? gap(false) : ''}${comma}${gap(true)}`;
    });
    const below = gap(true);
    return `${open}${gap(true)}${all.join('')}${below && start + below.trim()}${lineBreak}${indent.repeat(level)}${close}`;
  };
  const head = gap(false).trim();
  const foot = gap(true);
  return `${head && head + (indent === undefined ? '' : lineBreak)}${put(value, 0)}${foot}${finalBreak ? lineBreak : ''}`;
}
