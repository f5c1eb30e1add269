// @ts-check
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';

/*
 * An MCP server with one tool, which says the variables that the server has got. Plain JavaScript, because Claude Code starts it.
 */

const server = new McpServer({ name: 'marked', version: '1.0.0' });
server.registerTool('variables', { description: 'says its variables' }, () => ({
  content: [{ type: 'text', text: JSON.stringify(process.env) }],
}));
await server.connect(new StdioServerTransport());
