import type { Json } from './change.ts';
import type { EditableFile } from './setup-table.ts';

/** Stands for the address of the gateway in what setup would write. */
const GATEWAY = 'http://gateway.invalid';

/** An address that stands where setup would write that of the gateway. */
export interface PointedAt {
  /** As it stands there. */
  baseUrl: string;
  /** Without the path that the client wants behind the gateway's address. */
  url: string;
}

/**
 * Where a client's file points it.
 *
 * @param text without a byte order mark
 * @throws UneditableText
 */
export function pointedAt({ format, changes }: EditableFile, text: string): PointedAt[] {
  return changes(GATEWAY).flatMap((change) =>
    addressesIn(format.read(text, change), change.kind === 'value' ? change.value : change.item),
  );
}

function addressesIn(found: Json | undefined, wanted: Json): PointedAt[] {
  if (typeof wanted === 'string') {
    if (!wanted.startsWith(GATEWAY) || typeof found !== 'string') return [];
    const path = wanted.slice(GATEWAY.length);
    return [{ baseUrl: found, url: found.endsWith(path) ? found.slice(0, found.length - path.length) : found }];
  }
  if (!isObject(wanted) || !isObject(found)) return [];
  return Object.entries(wanted).flatMap(([name, value]) => addressesIn(found[name], value));
}

const isObject = (value: Json | undefined): value is { [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
