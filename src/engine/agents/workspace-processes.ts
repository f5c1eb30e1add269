import type { Agent } from '../../spec/agent.ts';
import type { Child } from '../process/child.ts';
import { removeSandboxTraces } from './sandbox-traces.ts';

/** The processes of agents, by their workspaces; and what commands leave there. */
export class WorkspaceProcesses {
  readonly #children = new Map<string, Set<Child>>();
  readonly #isShared: (workspace: string) => Promise<boolean>;

  /** @param isShared whether another gateway may have processes in a workspace */
  constructor(isShared: (workspace: string) => Promise<boolean>) {
    this.#isShared = isShared;
  }

  /** A process works in a workspace; it is to be spawned at once. */
  add({ workspace }: Pick<Agent, 'workspace'>, child: Child): void {
    const children = this.#children.get(workspace) ?? new Set();
    this.#children.set(workspace, children.add(child));
  }

  /** See `Engine.tidy`. */
  async tidy({ level, workspace }: Pick<Agent, 'level' | 'workspace'>): Promise<void> {
    const children = this.#children.get(workspace) ?? new Set();
    for (const child of children) {
      if (!child.isEnded) continue;
      await child.gone;
      children.delete(child);
    }
    if (children.size === 0) this.#children.delete(workspace);
    if (level === 'shell' && !(await this.#isShared(workspace))) removeSandboxTraces(workspace);
  }
}
