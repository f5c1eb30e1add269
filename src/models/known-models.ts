import type { HeardModel, ModelListing } from '../spec/model-listing.ts';
import { tableLimits } from './model-table.ts';

/** How many models that have answered are remembered. */
const MOST_HEARD = 200;
/** What Claude Code takes behind a model's name as a wish for the long context. */
const LONG_CONTEXT = '[1m]';
const LONG_CONTEXT_TOKENS = 1_000_000;

/** What is known of models: those that Claude Code offers, those that have answered, and a kept table. */
export class KnownModels {
  readonly #aliases: Readonly<Record<string, string>>;
  #offered: readonly ModelListing[] = [];
  /** The context windows of models that have answered, in tokens. */
  readonly #heard = new Map<string, number>();

  /** @param aliases the operator's own names for models */
  constructor(aliases: Readonly<Record<string, string>> = {}) {
    this.#aliases = aliases;
  }

  /** Claude Code lists these. */
  offer(models: readonly ModelListing[]): void {
    this.#offered = models;
  }

  /** A model has answered, so it works, and Claude Code has told its window. */
  hear({ id, contextWindow }: HeardModel): void {
    if (!this.#heard.has(id) && this.#heard.size >= MOST_HEARD) return;
    this.#heard.set(id, contextWindow);
  }

  /** The models that Claude Code offers, then the others that have answered, then the operator's own names. */
  get list(): ModelListing[] {
    const others = [...this.#heard.keys()].filter((id) => !this.#offered.some((offered) => offered.id === id));
    const models = [...this.#offered, ...others.map(byId)].map((listing) => this.#withLimits(listing));
    return [...models, ...Object.keys(this.#aliases).flatMap((name) => this.#ofAlias(name) ?? [])];
  }

  /** The model with an id or an alias; undefined when nothing is known of it. */
  find(name: string): ModelListing | undefined {
    const own = this.#ofAlias(name);
    if (own) return own;
    const offered = this.#offered.find(({ id, aliases }) => id === name || aliases.includes(name));
    if (offered) return this.#withLimits(offered);
    if (this.#heard.has(name) || tableLimits(name)) return this.#withLimits(byId(name));
    const short = name.endsWith(LONG_CONTEXT) ? this.find(name.slice(0, -LONG_CONTEXT.length)) : undefined;
    return short && { ...short, id: `${short.id}${LONG_CONTEXT}`, aliases: [], maxInputTokens: LONG_CONTEXT_TOKENS };
  }

  /** The operator's own name, with the limits of the model that it stands for. */
  #ofAlias(name: string): ModelListing | undefined {
    const model = Object.hasOwn(this.#aliases, name) ? this.#aliases[name] : undefined;
    if (model === undefined) return undefined;
    const limits = this.#offered.find(({ id, aliases }) => id === model || aliases.includes(model)) ?? byId(model);
    return { ...this.#withLimits(limits), id: name, aliases: [] };
  }

  #withLimits(listing: ModelListing): ModelListing {
    const kept = tableLimits(listing.id);
    const maxInputTokens = this.#heard.get(listing.id) ?? kept?.contextWindow;
    return {
      ...listing,
      ...(maxInputTokens !== undefined && { maxInputTokens }),
      ...(kept && { maxTokens: kept.maxTokens }),
    };
  }
}

function byId(id: string): ModelListing {
  return { id, aliases: [] };
}
