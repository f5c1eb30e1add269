import fc from 'fast-check';
import type { JsonObject } from '../../src/spec/messages.ts';

/** What may stand in any place, as JSON text: JavaScript has no value for some of it. */
const VALUES = [
  ...['null', 'true', 'false', '0', '-1', '1.5', '1e400', '-1e400', '1e300', '9007199254740993', '-0'],
  ...['""', '" "', '"x"', '"half a \\ud83d"', '"two\\nlines"', '"\\u0000"', '"__proto__"', '"NaN"', '"call_1"'],
  ...['[]', '{}', '[null]', '[[]]', '[{}]', '["x"]', '[1,2]', '{"type":"x"}', '{"type":"function"}', '{"role":"user"}'],
  ...['{"toString":null,"valueOf":null}', '{"__proto__":{"a":1}}', '{"constructor":{"prototype":1}}', '{"length":5}'],
  ...['{"then":1}', '{"toJSON":1}', '{"0":{}}', '"data:image/png;base64,"', '"data:,x"', '"https://"'],
  `"${'long '.repeat(20_000)}"`,
  `"${'\u00e9'.repeat(300)}"`,
  `[${'null,'.repeat(3_000)}null]`,
  `{${Array.from({ length: 1_001 }, (_, at) => `"k${at}":1`).join(',')}}`,
  ...['[', '{"a":'].flatMap((open) => [400, 600].map((depth) => nested(open, depth))),
];
const NAMES = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'type', 'content', 'id', 'x', '', '\\ud83d'];

interface Damage {
  kind: 'replace' | 'drop' | 'repeat' | 'list' | 'object' | 'add' | 'name twice';
  place: readonly string[];
  value: string;
  name: string;
}

/** A valid body as text, with up to three things wrong anywhere in it. */
export function damagedJson(bodies: readonly JsonObject[]): fc.Arbitrary<string> {
  return fc.constantFrom(...bodies).chain((body) =>
    fc
      .array(
        fc.record<Damage>({
          kind: fc.constantFrom(
            'replace',
            'replace',
            'replace',
            'drop',
            'repeat',
            'list',
            'object',
            'add',
            'name twice',
          ),
          place: fc.constantFrom(...placesIn(body)),
          value: fc.constantFrom(...VALUES),
          name: fc.constantFrom(...NAMES),
        }),
        { minLength: 1, maxLength: 3 },
      )
      .map((damages) => damagedText(body, damages)),
  );
}

/** Marks stand in the body for what its objects cannot hold, until it is text. */
const mark = (at: number) => `mark ${at} of a damage`;

function damagedText(body: JsonObject, damages: readonly Damage[]): string {
  const damaged = structuredClone(body);
  for (const [at, damage] of damages.entries()) put(damaged, damage, mark(at));
  return damages.reduce(
    (text, { kind, value, place, name }, at) =>
      text
        .replace(`"name of ${mark(at)}"`, () => `"${kind === 'add' ? name : place.at(-1)}"`)
        .replace(JSON.stringify(mark(at)), () => value),
    JSON.stringify(damaged),
  );
}

function put(body: JsonObject, { kind, place }: Damage, marked: string): void {
  const holder = place.slice(0, -1).reduce<unknown>((value, key) => (value as JsonObject | null)?.[key], body);
  // Another damage may have taken it away.
  if (typeof holder !== 'object' || holder === null) return;
  const fields = holder as JsonObject;
  const key = String(place.at(-1));
  const value = fields[key];
  if (kind === 'replace') fields[key] = marked;
  else if (kind === 'list') fields[key] = [value];
  else if (kind === 'object') fields[key] = { 0: value };
  else if (Array.isArray(holder))
    holder.splice(Number(key), kind === 'drop' ? 1 : 0, ...(kind === 'drop' ? [] : [value]));
  else if (kind === 'drop') delete fields[key];
  else fields[`name of ${marked}`] = marked;
}

/** The ways to all values within a value. */
function placesIn(value: unknown): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [[key], ...placesIn(inner).map((way) => [key, ...way])]);
}

function nested(open: string, depth: number): string {
  return open.repeat(depth) + (open === '[' ? '' : '1') + (open === '[' ? ']' : '}').repeat(depth);
}
