import { z } from 'zod';
import { badRequest } from '../../spec/failures.ts';
import type { ClientTool, JsonObject } from '../../spec/messages.ts';
import { jsonObject, parse, requiredOr } from '../body/shapes.ts';
import { heldSchema } from './structured-output.ts';

/** A custom tool takes free text; the model calls it with this one input. */
const FREE_TEXT_SCHEMA = {
  type: 'object',
  properties: { input: { type: 'string' } },
  required: ['input'],
  additionalProperties: false,
} as const;

const name = z
  .string(requiredOr('must be a string'))
  .regex(/^[!-~]{1,128}$/, 'a tool name must be 1 to 128 printable ASCII characters without spaces');
const functionForm = z.looseObject({
  name,
  description: z.string().nullish(),
  parameters: jsonObject.nullish(),
  strict: z.boolean().nullish(),
});
const messagesForm = z.looseObject({ name, description: z.string().nullish(), input_schema: jsonObject });
const customForm = z.looseObject({ name, description: z.string().nullish(), format: jsonObject.nullish() });

/** A function of either API as the model gets it, by the path of its declaration. */
export function functionTool(declaration: JsonObject, path: string, converted: string[]): ClientTool {
  const { name, description, parameters, strict } = parse(functionForm, declaration, path);
  let schema = withObjectRoot(parameters ?? { properties: {} }, `${path}.parameters`);
  if (strict === true) {
    const held = heldSchema(schema, `${path}.parameters`);
    if (held.isConverted) converted.push(`${path}.parameters`);
    schema = held.schema;
  }
  return {
    name,
    ...(description == null ? {} : { description }),
    input_schema: schema,
    ...(strict === true && { strict }),
  };
}

/** A tool in the shape of the Messages API, which some clients mix in. */
export function messagesTool(declaration: JsonObject, path: string): ClientTool {
  const { name, description, input_schema } = parse(messagesForm, declaration, path);
  return {
    name,
    ...(description == null ? {} : { description }),
    input_schema: withObjectRoot(input_schema, `${path}.input_schema`),
  };
}

/** A custom tool: its grammar goes into the description, since the model's API holds no answer to a grammar. */
export function customTool(declaration: JsonObject, path: string): ClientTool {
  const { name, description, format } = parse(customForm, declaration, path);
  // The chat API has one more level around a grammar.
  const { definition, syntax } = (format?.grammar ?? format ?? {}) as JsonObject;
  const words = [
    description ?? '',
    typeof definition === 'string'
      ? `The input must follow this ${typeof syntax === 'string' ? `${syntax} ` : ''}grammar:\n${definition}`
      : '',
  ].filter((text) => text !== '');
  return {
    name,
    ...(words.length > 0 && { description: words.join('\n\n') }),
    input_schema: { ...FREE_TEXT_SCHEMA },
  };
}

function withObjectRoot(schema: JsonObject, path: string): JsonObject {
  if (schema.type === undefined) return { type: 'object', ...schema };
  if (schema.type !== 'object')
    throw badRequest(`${path}.type`, 'the root of the parameters must have `type: "object"`');
  return schema;
}
