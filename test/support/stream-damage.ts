import type { Complaint } from './sse-frames.ts';

/** A way to damage a stream so that it certainly breaks the grammar. */
export interface Damage<Event> {
  name: string;
  about: Complaint;
  /** One damaged stream for each place where this can be done. */
  at(frames: readonly string[], events: readonly Event[]): string[][];
}

export const replaced = (frames: readonly string[], index: number, count: number, ...by: string[]): string[] =>
  [...frames].toSpliced(index, count, ...by);

/** One damage that changes what an event says, if `change` has another one in its place. */
export function changed<Event>(
  encode: (event: object) => string,
  name: string,
  about: Complaint,
  change: (event: Event, index: number, events: readonly Event[]) => object | undefined,
): Damage<Event> {
  return {
    name,
    about,
    at: (frames, events) =>
      events.flatMap((event, index) => {
        const other = change(event, index, events);
        return other ? [replaced(frames, index, 1, encode(other))] : [];
      }),
  };
}

/** One damage that needs to know what stands beside a place; `undefined` where the grammar would hold. */
export function moved<Event>(
  name: string,
  about: Complaint,
  move: (frames: readonly string[], index: number, events: readonly Event[]) => string[] | undefined,
): Damage<Event> {
  return {
    name,
    about,
    at: (frames, events) =>
      frames.flatMap((_, index) => [move(frames, index, events) ?? []].filter(({ length }) => length)),
  };
}

/** One damage that changes the text of a frame. */
export function garbled(name: string, about: Complaint, garble: (frame: string) => string): Damage<unknown> {
  return {
    name,
    about,
    at: (frames) =>
      frames.flatMap((frame, index) => {
        const other = garble(frame);
        return other === frame ? [] : [replaced(frames, index, 1, other)];
      }),
  };
}

/** What no frame of any of the APIs is. */
export const GARBLED: ReadonlyArray<Damage<unknown>> = [
  garbled('a blank line too many', 'frame', (frame) => `${frame}\n`),
  garbled('a line break inside the data', 'frame', (frame) => frame.replace('{', '{\n')),
  garbled('carriage returns', 'frame', (frame) => frame.replaceAll('\n', '\r\n')),
  garbled('a carriage return inside the data', 'frame', (frame) => frame.replace('{', '{\r')),
  garbled('a comment', 'frame', (frame) => `: ping\n\n${frame}`),
  garbled('an id', 'frame', (frame) => `id: 1\n${frame}`),
  garbled('no space after the colon', 'frame', (frame) => frame.replace('data: ', 'data:')),
  garbled('data that is not JSON', 'frame', (frame) => frame.replace(/\}\n\n$/, '\n\n')),
  garbled('a byte order mark', 'frame', (frame) => `\ufeff${frame}`),
];
