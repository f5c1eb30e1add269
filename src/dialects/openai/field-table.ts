import { stableJson } from '../../conversation/canonical.ts';
import { unsupported } from '../../spec/failures.ts';
import type { JsonObject } from '../../spec/messages.ts';
import type { Row } from '../contract.ts';

/**
 * The top-level fields that a table says are ignored; one that is not in it is ignored, too.
 *
 * @throws FailureError `bad_request` for a field that the table refuses
 */
export function ignoredFields(body: JsonObject, table: Readonly<Record<string, Row>>): string[] {
  return Object.entries(body).flatMap(([field, value]) => {
    if (value == null) return [];
    const row: Row = (Object.hasOwn(table, field) ? table[field] : undefined) ?? { handling: 'ignored', note: '' };
    const asksNothing = row.unless?.some((plain) => stableJson(plain) === stableJson(value)) === true;
    if (asksNothing) return [];
    if (row.handling === 'refused') throw unsupported(field, row.note);
    return row.handling === 'ignored' ? [field] : [];
  });
}
