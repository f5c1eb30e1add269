import type { ClientTool } from '../../spec/messages.ts';

/** Names that Claude Code claims for its own tools, and what becomes of a client's tool with one of them. */
export const RESERVED_NAMES = {
  Agent: 'it is dropped',
  EnterPlanMode: 'a replay of its calls never reaches the model',
  ExitPlanMode: 'the input of its calls is emptied',
  Skill: 'Claude Code’s own skills are added, some 2,000 tokens',
  ToolSearch: 'it is dropped',
} as const;

/** Maps tool names between client and model. Only reserved names differ: they get a `_` for the model. */
export class ToolNames {
  readonly #toModel = new Map<string, string>();
  readonly #toClient = new Map<string, string>();

  constructor(tools: readonly ClientTool[]) {
    for (const name of Object.keys(RESERVED_NAMES)) {
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
