import { timingSafeEqual } from 'node:crypto';
import type { Agent, AgentLevel } from '../spec/agent.ts';
import type { AgentAccess, DefinedAgent } from './define-agents.ts';

/** Who asks for an agent. */
export interface Asker {
  /** SHA-256 of the client's key. */
  keyDigest: Buffer;
  /** The origin of the web page that asks; undefined for a program. */
  origin: string | undefined;
}

/** The agents of a gateway, by their names. To who may not ask one, it does not exist. */
export class Agents {
  readonly #byName: ReadonlyMap<string, DefinedAgent>;
  /** The servers of tools that did not work in the latest turn, by their agent. */
  readonly #failing = new Map<string, readonly string[]>();

  constructor(defined: readonly DefinedAgent[] = []) {
    this.#byName = new Map(defined.map((each) => [each.agent.name, each]));
  }

  /** Whether there is an agent with this name, whoever asks. */
  has(name: string): boolean {
    return this.#byName.has(name);
  }

  find(name: string, asker: Asker): Agent | undefined {
    const found = this.#byName.get(name);
    return found && mayAsk(found.access, asker) ? found.agent : undefined;
  }

  /** Whether there is an agent with this name that pages of this origin may ask, with its key or without. */
  lists(name: string, origin: string): boolean {
    return this.#byName.get(name)?.access.origins.includes(origin.toLowerCase()) ?? false;
  }

  /** Those that this caller may ask. */
  for(asker: Asker): Agent[] {
    return [...this.#byName.values()].filter(({ access }) => mayAsk(access, asker)).map(({ agent }) => agent);
  }

  /** A turn of an agent has begun without these of its servers of tools. */
  hear(name: string, failing: readonly string[]): void {
    this.#failing.set(name, failing);
  }

  /** What anyone may know of each. */
  get summary(): Array<{ name: string; level: AgentLevel; failingServers?: readonly string[] }> {
    return [...this.#byName.values()].map(({ agent: { name, level } }) => {
      const failingServers = this.#failing.get(name) ?? [];
      return { name, level, ...(failingServers.length > 0 && { failingServers }) };
    });
  }
}

function mayAsk({ keyDigest, origins }: AgentAccess, asker: Asker): boolean {
  if (keyDigest && !timingSafeEqual(keyDigest, asker.keyDigest)) return false;
  return asker.origin === undefined || origins.includes(asker.origin.toLowerCase());
}
