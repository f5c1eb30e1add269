import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { MalformedBody } from './malformed-bodies.ts';
import { isJson } from './sse-frames.ts';
import { depth } from './valid-bodies.ts';

/**
 * What is certainly no JSON.
 *
 * @param asText valid bodies
 */
export const brokenJson = (asText: fc.Arbitrary<string>) =>
  fc
    .oneof(
      fc.tuple(asText, fc.nat(100_000)).map(([text, cut]) => text.slice(0, cut % text.length)),
      fc
        .tuple(
          asText,
          fc.nat(100_000),
          fc.constantFrom('"', '{', '}', '[', ']', ',', ':', '\\', '\n', '\u0000', 'x', "'", '0', '/*'),
        )
        .map(([text, place, added]) => text.slice(0, place % text.length) + added + text.slice(place % text.length)),
      fc
        .tuple(asText, fc.nat(100_000), fc.integer({ min: 1, max: 5 }))
        .map(
          ([text, place, length]) => text.slice(0, place % text.length) + text.slice((place % text.length) + length),
        ),
      asText.map((text) => text.replaceAll('"', "'")),
      fc.tuple(asText, fc.constantFrom('}', ',', 'null', '{}', '//', '\u0000')).map(([text, behind]) => text + behind),
      fc
        .tuple(
          asText,
          fc.constantFrom('NaN', 'Infinity', 'undefined', '01', '+1', '.5', '1.', '0x1', '1_0', "'x'", '[1,]', '{a:1}'),
        )
        .map(([text, raw]) => `${text.slice(0, -1)},"metadata":${raw}}`),
      depth.map((count) => '[{"a":'.repeat(count)),
    )
    .filter((text) => !isJson(text))
    .map((text) => ({ defect: 'broken JSON', text }));

/** No UTF-8: lone bytes, an overlong form, a surrogate, a code point that is too high. */
const NO_UTF8 = [[0xff], [0xe9], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80]];

/** Valid bodies in anything but UTF-8; each has letters beyond ASCII. */
export const wrongEncoding = (asText: fc.Arbitrary<string>) =>
  fc.tuple(asText, fc.nat(100_000), fc.nat(100)).map(([whole, place, pick]): MalformedBody => {
    const text = `${whole.slice(0, -1)},"system":"é"}`;
    const bytes = Buffer.from(text);
    const at = place % bytes.length;
    const wrong = NO_UTF8[pick % NO_UTF8.length] ?? [];
    const kinds: MalformedBody[] = [
      { defect: 'as UTF-16', bytes: Buffer.from(text, 'utf16le'), headers: [] },
      { defect: 'as Latin-1', bytes: Buffer.from(text, 'latin1'), headers: [] },
      { defect: 'as base64', bytes: Buffer.from(bytes.toString('base64')), headers: [] },
      { defect: 'zipped', bytes: gzipSync(text), headers: ['content-encoding', 'gzip'] },
      {
        defect: `with the bytes ${wrong}`,
        bytes: Buffer.concat([bytes.subarray(0, at), Buffer.from(wrong), bytes.subarray(at)]),
        headers: [],
      },
    ];
    return kinds[pick % kinds.length] ?? { defect: 'empty', bytes: Buffer.alloc(0), headers: [] };
  });
