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

  /** Those that this caller may ask. */
  for(asker: Asker): Agent[] {
    return [...this.#byName.values()].filter(({ access }) => mayAsk(access, asker)).map(({ agent }) => agent);
  }

  /** What anyone may know of each. */
  get summary(): Array<{ name: string; level: AgentLevel }> {
    return [...this.#byName.values()].map(({ agent: { name, level } }) => ({ name, level }));
  }
}

function mayAsk({ keyDigest, origins }: AgentAccess, asker: Asker): boolean {
  if (keyDigest && !timingSafeEqual(keyDigest, asker.keyDigest)) return false;
  return asker.origin === undefined || origins.includes(asker.origin.toLowerCase());
}
