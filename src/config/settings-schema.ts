import { z } from 'zod';
import { agentDefinitions } from './agent-definition.ts';
import { SETTINGS, type Setting } from './setting-table.ts';

/** A variable of the environment in place of the value. */
const REFERENCE = { type: 'string', pattern: '^\\$[A-Za-z_]\\w*$' };

/** The JSON Schema (draft 2020-12) of the configuration file, for editors. */
export function settingsSchema(): object {
  const { $schema, default: _, ...agents } = z.toJSONSchema(agentDefinitions, { io: 'input', unrepresentable: 'any' });
  const properties = Object.entries(SETTINGS).map(([name, row]) => [
    name,
    row.kind === 'agents'
      ? { description: 'Agents by their names; see docs/agents.md.', ...agents }
      : { description: row.help, ...shapeOf(row) },
  ]);
  return {
    $schema,
    title: 'The configuration of Isthmus',
    type: 'object',
    properties: { $schema: { type: 'string' }, ...Object.fromEntries(properties) },
    additionalProperties: false,
  };
}

function shapeOf(row: Exclude<Setting, { kind: 'agents' }>): object {
  switch (row.kind) {
    case 'integer':
    case 'number':
      return { anyOf: [{ type: row.kind, minimum: row.least, maximum: row.most }, REFERENCE] };
    case 'choice':
      return { anyOf: [{ enum: row.of }, REFERENCE] };
    case 'text':
    case 'address':
      return { type: 'string', minLength: 1 };
    case 'toggle':
      return { anyOf: [{ type: 'boolean' }, REFERENCE] };
    case 'aliases':
      return { anyOf: [{ type: 'object', additionalProperties: { type: 'string' } }, { type: 'string' }] };
    case 'hosts':
    case 'origins':
      return { anyOf: [{ type: 'array', items: { type: 'string' } }, { type: 'string' }] };
  }
}
