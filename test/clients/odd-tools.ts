import { fileURLToPath } from 'node:url';

/** The program of an MCP server whose tools have what is rare in a schema. */
export const ODD_TOOLS_SERVER = fileURLToPath(new URL('odd-tools-server.js', import.meta.url));

/** For each of its tools, what to call it with; it returns just that. */
export const ODD_INPUTS = {
  tree: { root: { label: 'a', children: [{ label: 'b', children: [{ label: '数' }] }] } },
  shape: { corner: [1.5, null], names: { a: 1 }, either: 7, both: 'x', 'x-y': 'z' },
  nothing: {},
};

/** What is rare in their schemas, as JSON. */
export const RARE_KEYWORDS = [
  '$ref',
  '$defs',
  'prefixItems',
  '["string","null"]',
  'propertyNames',
  'patternProperties',
  'exclusiveMinimum',
  'allOf',
];
