import type { McpSdkServerConfigWithInstance } from '@anthropic-ai/claude-agent-sdk';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { ListToolsRequestSchema, type Tool } from '@modelcontextprotocol/sdk/types.js';
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv';

/** The names of the MCP server, which a process gets by turns; `mcp__<name>` stands for all of its tools in the permission list. */
export const CLIENT_TOOLS_SERVERS: readonly string[] = ['client', 'client2'];

/** @param change how often the process got another server */
export function clientToolsServerName(change: number): string {
  return CLIENT_TOOLS_SERVERS[change % CLIENT_TOOLS_SERVERS.length] as string;
}

/** Shared: each server would make its own at every spawn, which takes longer than all the rest and is never used. */
const VALIDATOR = new AjvJsonSchemaValidator();

/** An in-process MCP server that lists tools; who calls them gets an error until it has a handler for calls. */
export function clientToolsServer(tools: Tool[]): Server {
  const server = new Server(
    { name: clientToolsServerName(0), version: '1' },
    { capabilities: { tools: {} }, jsonSchemaValidator: VALIDATOR },
  );
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools }));
  return server;
}

/** For the SDK's `mcpServers` option. */
export function serverConfig(server: Server, name: string): McpSdkServerConfigWithInstance {
  // The SDK's type asks for the high-level server, but the SDK only uses `connect`, which both have.
  const instance = server as unknown as McpSdkServerConfigWithInstance['instance'];
  return { type: 'sdk', name, instance };
}
