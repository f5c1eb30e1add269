import type { ClientTool } from '../../spec/messages.ts';

/**
 * Names that the CLI keeps for its own tools: it drops a client's tool of the first two, and empties the input of the
 * third, whoever declares it.
 */
const RESERVED: readonly string[] = ['ToolSearch', 'Agent', 'ExitPlanMode'];

/** Tool names as the model sees them and as the client knows them: the same, but for the reserved ones. */
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
