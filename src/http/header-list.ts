/** The most characters of one header; clients and servers allow some kilobytes for all headers together. */
const LONGEST = 1_000;

/**
 * A header value that lists names of any characters, such as those of files or of a client's fields. What does not fit is counted.
 *
 * @param more how many there are beside these
 */
export function headerList(names: readonly string[], more = 0): string {
  let value = '';
  for (const [index, name] of names.entries()) {
    const next = value === '' ? toAscii(name) : `${value}, ${toAscii(name)}`;
    if (next.length > LONGEST) return andMore(value, names.length - index + more);
    value = next;
  }
  return more > 0 ? andMore(value, more) : value;
}

function andMore(value: string, count: number): string {
  return `${value}${value === '' ? '' : ', '}and ${count} more`;
}

function toAscii(name: string): string {
  return name
    .replaceAll(/\p{Surrogate}/gu, '\uFFFD')
    .replaceAll(/[^!-~]|[,%]/gu, (character) => encodeURIComponent(character));
}
