import type { McpSdkServerConfigWithInstance } from '@anthropic-ai/claude-agent-sdk';
import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { CallToolRequestSchema, type CallToolResult, type Tool } from '@modelcontextprotocol/sdk/types.js';
import { stableJson, toolResultContent } from '../../conversation/canonical.ts';
import type { ClientTool, ContentBlock } from '../../spec/messages.ts';
import type { ToolNames } from '../parameters/tool-names.ts';
import { clientToolsServer, clientToolsServerName, serverConfig } from './client-tools-server.ts';

/** The SDK's key for the tool_use id of a call. */
const TOOL_USE_ID = 'claudecode/toolUseId';
/** The SDK writes a longer result to a file, in characters; its own upper bound. */
const LONGEST_RESULT = 500_000;

/**
 * The client's tools as an in-process MCP server that runs nothing. Here a held call waits until the client's next request
 * brings its result. If the process ends first, the call is dropped with it.
 *
 * The server declares names alone, for the SDK to dispatch the calls; `engine/parameters` shows the tools to the model.
 */
export class HeldCalls {
  readonly #results = new Map<string, PromiseWithResolvers<CallToolResult>>();
  readonly #server: Server;
  readonly #names: readonly string[];

  constructor(tools: readonly ClientTool[], names: ToolNames) {
    this.#names = tools.map(({ name }) => names.toModel(name));
    const list = this.#names.map(
      (name): Tool => ({
        name,
        inputSchema: { type: 'object' },
        _meta: { 'anthropic/maxResultSizeChars': LONGEST_RESULT },
      }),
    );
    this.#server = clientToolsServer(list);
    this.#server.setRequestHandler(CallToolRequestSchema, async (call) => {
      const toolUseId = String(call.params._meta?.[TOOL_USE_ID]);
      const result = await this.#result(toolUseId).promise;
      this.#results.delete(toolUseId);
      return result;
    });
  }

  /** Whether the process, which knows no more of the tools, sees a difference. */
  hasSameNames(other: HeldCalls): boolean {
    return stableJson(this.#names) === stableJson(other.#names);
  }

  /**
   * For the SDK's `mcpServers` option: none for a request without tools.
   *
   * @param change how often the process got other tools: it takes new ones only from a server with another name
   */
  servers(change = 0): Record<string, McpSdkServerConfigWithInstance> {
    const name = clientToolsServerName(change);
    return this.#names.length === 0 ? {} : { [name]: serverConfig(this.#server, name) };
  }

  /** Completes the held call with the result's `tool_use_id`; a call that comes later gets its result at once. */
  complete(result: ContentBlock): void {
    this.#result(String(result.tool_use_id)).resolve({
      content: toolResultContent(result).map((block) => ({ type: 'text', text: String(block.text) })),
      ...(result.is_error === true ? { isError: true } : {}),
    });
  }

  /** The process has given its calls up: their results will not come. */
  drop(): void {
    this.#results.clear();
  }

  #result(toolUseId: string): PromiseWithResolvers<CallToolResult> {
    let result = this.#results.get(toolUseId);
    if (!result) {
      result = withResolvers();
      this.#results.set(toolUseId, result);
    }
    return result;
  }
}

interface PromiseWithResolvers<Value> {
  promise: Promise<Value>;
  resolve: (value: Value) => void;
}

function withResolvers<Value>(): PromiseWithResolvers<Value> {
  let resolve: (value: Value) => void = () => undefined;
  const promise = new Promise<Value>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
