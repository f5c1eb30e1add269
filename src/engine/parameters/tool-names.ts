import type { ClientTool } from '../../spec/messages.ts';

/**
 * Names that the CLI keeps for its own tools. It drops a client's tool with one of the first two, and empties the input of
 * one with the third.
 */
const RESERVED: readonly string[] = ['ToolSearch', 'Agent', 'ExitPlanMode'];

/** Maps tool names between client and model. Only reserved names differ: they get a `_` for the model. */
export class ToolNames {
  readonly #toModel = new Map<string, string>();
  readonly #toClient = new Map<string, string>();

  constructor(tools: readonly ClientTool[]) {
    for (const name of RESERVED) {
      let alias = `${name}_`;
      while (tools.some((tool) => tool.name === alias)) alias += '_';
      this.#toModel.set(name, alias);
      this.#toClient.set(alias, name);
    }
  }

  toModel(name: string): string {
    return this.#toModel.get(name) ?? name;
  }

  toClient(name: string): string {
    return this.#toClient.get(name) ?? name;
  }
}
