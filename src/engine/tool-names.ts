import type { ClientTool } from '../spec/messages.ts';

/** The one name that the SDK keeps for itself and drops from a client's list. */
const RESERVED = 'ToolSearch';

/** Tool names as the model sees them and as the client knows them: the same, but for the reserved one. */
export class ToolNames {
  readonly #alias: string;

  constructor(tools: readonly ClientTool[]) {
    let alias = `${RESERVED}_`;
    while (tools.some((tool) => tool.name === alias)) alias += '_';
    this.#alias = alias;
  }

  toModel(name: string): string {
    return name === RESERVED ? this.#alias : name;
  }

  toClient(name: string): string {
    return name === this.#alias ? RESERVED : name;
  }
}
