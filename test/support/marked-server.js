// @ts-check
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { z } from 'zod';

/*
 * An MCP server with two tools: one says the variables that the server has got, the other waits. Plain JavaScript, because Claude
 * Code starts it.
 */

const server = new McpServer({ name: 'marked', version: '1.0.0' });
server.registerTool('variables', { description: 'says its variables' }, () => ({
  content: [{ type: 'text', text: JSON.stringify(process.env) }],
}));
server.registerTool(
  'wait',
  { description: 'waits', inputSchema: { milliseconds: z.number() } },
  async ({ milliseconds }) => {
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    return { content: [{ type: 'text', text: 'waited' }] };
  },
);
await server.connect(new StdioServerTransport());
