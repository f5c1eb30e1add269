import { z } from 'zod';
import { badRequest } from '../../spec/failures.ts';
import type { JsonObject } from '../../spec/messages.ts';

/** The API's own words for a field that is missing. */
export const REQUIRED = 'Field required';
/** For a missing field: that it is required. Otherwise these words, or those of the schema. */
export const requiredOr = (words?: string) => ({
  error: ({ input }: { input?: unknown }) => (input === undefined ? REQUIRED : words),
});

/** Passed on as the same object: a copy would lose a key such as `__proto__`. */
export const jsonObject = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  requiredOr('must be an object'),
);
export const nonEmpty = (what: string) => z.string().min(1, `${what} must not be empty`);

/** The most fields of the body, of a message, a block or a tool itself; the API refuses each that it does not know. */
export const MOST_FIELDS = 1_000;

/**
 * @param path of the value in the client's body
 * @throws FailureError `bad_request` for the first fault
 */
export function parse<Schema extends z.ZodType>(schema: Schema, value: unknown, path: string): z.infer<Schema> {
  const result = safeParse(schema, value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const at = [path, ...(issue?.path ?? []).map(String)].filter((part) => part !== '').join('.');
  throw badRequest(at, issue?.message ?? 'is not valid');
}

/** Words of one's own make zod's parse several times slower: they are asked for only when something is wrong. */
export function safeParse<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): z.ZodSafeParseResult<z.infer<Schema>> {
  const result = schema.safeParse(value);
  return result.success ? result : schema.safeParse(value, requiredOr());
}

/**
 * A list, parsed item by item up to the first fault. A list of zod's own looks for every fault, and overflows the stack when there
 * are too many.
 *
 * @param most the most items that it may have
 */
export function listOf<Schema extends z.ZodType>(item: Schema, most = Number.POSITIVE_INFINITY) {
  const list = z.array(z.unknown()).max(most, `must have at most ${most.toLocaleString('en')} items`);
  return list.transform((values, context): Array<z.infer<Schema>> => {
    const items: Array<z.infer<Schema>> = [];
    for (const [index, value] of values.entries()) {
      const crowded = tooManyFields(value);
      if (crowded) {
        context.addIssue({ code: 'custom', message: crowded, path: [index] });
        return z.NEVER;
      }
      const result = safeParse(item, value);
      if (!result.success) {
        const { message = 'is not valid', path = [] } = result.error.issues[0] ?? {};
        context.addIssue({ code: 'custom', message, path: [index, ...path] });
        return z.NEVER;
      }
      items.push(result.data);
    }
    return items;
  });
}

/** What is wrong with an object that has too many fields; undefined for any other value. */
export function tooManyFields(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Object.keys(value).length <= MOST_FIELDS) return undefined;
  return `must have at most ${MOST_FIELDS.toLocaleString('en')} fields`;
}

/** A string or the schema's value. Not a zod union: that would hide the path of a problem inside the list. */
export function stringOr<Schema extends z.ZodType>(schema: Schema, expected: string) {
  return z.unknown().transform((value, context): string | z.infer<Schema> => {
    if (typeof value === 'string') return value;
    if (!Array.isArray(value)) {
      context.addIssue({ code: 'custom', message: value === undefined ? REQUIRED : `must be ${expected}` });
      return z.NEVER;
    }
    const result = safeParse(schema, value);
    if (result.success) return result.data;
    for (const { message, path } of result.error.issues) context.addIssue({ code: 'custom', message, path });
    return z.NEVER;
  });
}
