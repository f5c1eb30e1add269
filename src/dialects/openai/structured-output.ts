import { transformJSONSchema } from '@anthropic-ai/sdk/lib/transform-json-schema';
import { stableJson } from '../../conversation/canonical.ts';
import { badRequest } from '../../spec/failures.ts';
import type { JsonObject } from '../../spec/messages.ts';

/** A schema in the form that the model's API holds an answer to. */
export interface HeldSchema {
  schema: JsonObject;
  /** Whether something of it went into a description, or is closed now. */
  isConverted: boolean;
}

/**
 * @param path of the schema in the client's body
 * @throws FailureError `bad_request` for what the model's API cannot hold an answer to
 */
export function heldSchema(schema: JsonObject, path: string): HeldSchema {
  checkSchema(schema, path);
  // Schemas made by a library name their draft, which says nothing of the answer.
  const { $schema: _, ...said } = withNewDefinitions(schema);
  const held = transformed(said, path);
  return { schema: held, isConverted: stableJson(held) !== stableJson(said) };
}

/** Older drafts, and so the helpers of OpenAI's SDK, have `definitions` where the model's API has `$defs`. */
function withNewDefinitions({ definitions, ...schema }: JsonObject): JsonObject {
  if (definitions === undefined) return schema;
  const pointed = JSON.stringify({ ...schema, $defs: { ...definitions, ...(schema.$defs as object | undefined) } });
  return JSON.parse(pointed, (key, value) =>
    key === '$ref' && typeof value === 'string' ? value.replace(/^#\/definitions\//, '#/$defs/') : value,
  );
}

function transformed(schema: JsonObject, path: string): JsonObject {
  try {
    return transformJSONSchema(schema as Parameters<typeof transformJSONSchema>[0]) as JsonObject;
  } catch (error) {
    const words = error instanceof Error ? error.message.slice(0, 200) : '';
    throw badRequest(path, `is no schema that the model’s API can hold an answer to: ${words}`);
  }
}

/** Lists of schemas, and schemas by names, within a schema. */
const LISTS = ['anyOf', 'oneOf', 'allOf'];
const MAPS = ['properties', '$defs', 'definitions'];

function checkSchema(schema: unknown, path: string): void {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
    throw badRequest(path, 'must be a schema with a `type`; the model’s API takes none that is true or false');
  }
  const { type, enum: values, const: value, $ref, additionalProperties, items, ...rest } = schema as JsonObject;
  if (typeof additionalProperties === 'object' && additionalProperties !== null) {
    throw badRequest(
      `${path}.additionalProperties`,
      'the model’s API has no objects with any keys; name the keys in `properties`, or ask for a list of objects with a key and a value',
    );
  }
  const says = [type, values, value, $ref, ...LISTS.map((name) => rest[name])].some((one) => one !== undefined);
  if (!says) throw badRequest(path, 'must have a `type`, `enum`, `const`, `anyOf`, `allOf` or `$ref`');
  for (const name of LISTS) {
    if (Array.isArray(rest[name]))
      for (const [at, one] of rest[name].entries()) checkSchema(one, `${path}.${name}.${at}`);
  }
  for (const name of MAPS) {
    const map = rest[name];
    if (typeof map !== 'object' || map === null) continue;
    for (const [key, one] of Object.entries(map)) checkSchema(one, `${path}.${name}.${key}`);
  }
  if (items !== undefined) checkSchema(items, `${path}.items`);
}
