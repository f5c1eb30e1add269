import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { LifeSign, lifeOf } from '../engine/files/life-sign.ts';
import type { Agent } from '../spec/agent.ts';

/** How long a gateway may take to show its sign, in milliseconds. */
const SIGNLESS_MS = 60_000;

/**
 * Signs of the gateways whose agents write, a folder for each workspace: two gateways do not wait for each other's turns. They
 * lie in the state folder, since what is in the workspace is the agent's.
 */
export class WorkspaceSigns {
  readonly #folder: string;
  readonly #shown: Array<{ folder: string; sign: LifeSign }> = [];

  /** @param state the folder of what gateways of this user keep */
  constructor(state: string) {
    this.#folder = join(state, 'workspaces');
  }

  /**
   * Shows that this gateway writes in the workspaces of these agents.
   *
   * @returns what the operator should know; one sentence each
   */
  async show(agents: readonly Pick<Agent, 'level' | 'workspace'>[]): Promise<string[]> {
    const workspaces = new Set(agents.filter(({ level }) => level !== 'read').map(({ workspace }) => workspace));
    const warnings = await Promise.all([...workspaces].map((workspace) => this.#showOne(workspace)));
    return warnings.filter((warning) => warning !== undefined);
  }

  /** Whether another gateway writes in a workspace; in doubt one does. */
  async isShared(workspace: string): Promise<boolean> {
    return await this.#hasOthers(this.#folderOf(workspace)).catch(() => true);
  }

  /** Takes all signs away. */
  remove(): void {
    for (const { folder, sign } of this.#shown.splice(0)) {
      sign.end();
      rmSync(folder, { recursive: true, force: true });
    }
  }

  async #showOne(workspace: string): Promise<string | undefined> {
    const all = this.#folderOf(workspace);
    try {
      mkdirSync(all, { recursive: true, mode: 0o700 });
      const own = mkdtempSync(join(all, 'gateway-'));
      const sign = new LifeSign(own);
      this.#shown.push({ folder: own, sign });
      sign.show();
      // Behind the own sign: of two that start together at least one sees the other.
      return (await this.#hasOthers(all))
        ? `Another gateway has an agent that writes in ${workspace}: neither waits for the other's turns. Stop one, or give each a copy of the folder.`
        : undefined;
    } catch (error) {
      return `Another gateway that writes in ${workspace} would not be noticed: ${(error as Error).message}.`;
    }
  }

  #folderOf(workspace: string): string {
    const digest = createHash('sha256').update(workspace).digest('hex').slice(0, 32);
    return join(this.#folder, digest);
  }

  async #hasOthers(all: string): Promise<boolean> {
    const own = new Set(this.#shown.map(({ folder }) => folder));
    const others = readdirSync(all).map((name) => join(all, name));
    const alive = await Promise.all(others.filter((other) => !own.has(other)).map(isAlive));
    return alive.includes(true);
  }
}

/** Whether another gateway lives; what a dead one has left is removed. */
async function isAlive(folder: string): Promise<boolean> {
  const life = await lifeOf(folder);
  const since = lstatSync(folder, { throwIfNoEntry: false })?.mtimeMs;
  const isLeft = life === 'dead' || (life === 'no sign' && since !== undefined && Date.now() - since > SIGNLESS_MS);
  if (isLeft) rmSync(folder, { recursive: true, force: true });
  return !isLeft && since !== undefined;
}
