// @ts-check
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';

/*
 * An MCP server whose tools have what is rare in a schema; each one returns the arguments that it was called with.
 * Plain JavaScript, because a client starts it.
 */

/** @type {Record<string, { type: 'object', [keyword: string]: unknown }>} */
const SCHEMAS = {
  tree: {
    type: 'object',
    properties: { root: { $ref: '#/$defs/node' } },
    required: ['root'],
    $defs: {
      node: {
        type: 'object',
        properties: { label: { type: 'string' }, children: { type: 'array', items: { $ref: '#/$defs/node' } } },
        required: ['label'],
      },
    },
  },
  shape: {
    type: 'object',
    properties: {
      corner: { type: 'array', prefixItems: [{ type: 'number' }, { type: ['string', 'null'] }], items: false },
      names: { type: 'object', propertyNames: { pattern: '^[a-z]+$' }, additionalProperties: { type: 'integer' } },
      either: { anyOf: [{ const: 'on' }, { type: 'integer', exclusiveMinimum: 0 }] },
      both: { allOf: [{ type: 'string', minLength: 1 }, { not: { enum: ['none'] } }] },
    },
    patternProperties: { '^x-': { type: 'string' } },
    additionalProperties: false,
  },
  nothing: { type: 'object' },
};

const server = new Server({ name: 'odd-tools', version: '1.0.0' }, { capabilities: { tools: {} } });
server.setRequestHandler(ListToolsRequestSchema, () => ({
  tools: Object.entries(SCHEMAS).map(([name, inputSchema]) => ({ name, description: `Takes ${name}.`, inputSchema })),
}));
server.setRequestHandler(CallToolRequestSchema, ({ params }) => ({
  content: [{ type: 'text', text: JSON.stringify(params.arguments ?? {}) }],
}));
await server.connect(new StdioServerTransport());
