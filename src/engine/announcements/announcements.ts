import type { SessionStoreEntry } from '@anthropic-ai/claude-agent-sdk';
import { type Announcement, announcementsIn } from './announcement.ts';
import { dayFrom } from './process-day.ts';
import type { Silence } from './silence.ts';

/** Finds out what a process announces for a model, without a call of it; `ofLogin`: also what the sign-in adds. */
export type Probe = (model: string, ofLogin: boolean) => Promise<Announcement[]>;

/** Writes down what the operator should know: the event, and its fields without content. */
export type EngineLog = (event: string, fields: Record<string, string>) => void;

/** The most models of which announcements are kept. */
const MOST_MODELS = 1_000;

/**
 * What Claude Code would announce to each model, so that no process does.
 *
 * It is learned from a probe, or else from the first process that announces it: then the model sees it once. The announcements
 * of a login hold the user's e-mail address; they lie in the transcript of a replay, never in a log.
 */
export class Announcements {
  readonly #probe: Probe;
  readonly #log: EngineLog;
  readonly #signInVersion: () => string | undefined;
  /** By type: the same for every model. */
  readonly #general = new Map<string, Announcement>();
  /** By model; undefined where a probe told nothing. */
  readonly #models = new Map<string, Announcement | undefined>();
  readonly #logged = new Set<string>();
  readonly #probing = new Map<string, Promise<void>>();
  #knownSignIn: string | undefined;

  /** @param signInVersion of the login that pays, which announces who has signed in; undefined without one */
  constructor(probe: Probe, log: EngineLog, signInVersion: () => string | undefined) {
    this.#probe = probe;
    this.#log = log;
    this.#signInVersion = signInVersion;
  }

  /** Makes sure that the announcements for this model are known; never rejects. */
  async prepare(model: string): Promise<void> {
    const signIn = this.#signInVersion();
    const ofLogin = signIn !== this.#knownSignIn;
    if (this.#models.has(model) && !ofLogin) return;
    const key = JSON.stringify([model, signIn]);
    let probing = this.#probing.get(key);
    if (!probing) {
      probing = this.#learn(model, signIn, ofLogin).finally(() => this.#probing.delete(key));
      this.#probing.set(key, probing);
    }
    await probing;
  }

  /** What keeps a process that is spawned now silent to this model, as far as its announcements are known. */
  silence(model: string): Silence {
    const { zone, date, endsAt } = dayFrom(Date.now());
    const signIn = this.#signInVersion();
    const ofModel = this.#models.get(model);
    return {
      announced: [...this.#general.values(), ...(ofModel ? [ofModel] : []), { type: 'date', date }],
      variables: { TZ: zone },
      hear: (entries) => this.#hear(model, entries),
      staleness: () => {
        if (Date.now() > endsAt) return 'the date is about to change';
        return signIn === this.#signInVersion() ? undefined : 'the sign-in has changed';
      },
    };
  }

  #hear(model: string, entries: readonly SessionStoreEntry[]): void {
    for (const announcement of announcementsIn(entries)) {
      this.#keep(model, announcement);
      const fields = { type: announcement.type, model };
      const key = JSON.stringify(fields);
      if (this.#logged.has(key) || this.#logged.size > MOST_MODELS) continue;
      this.#logged.add(key);
      this.#log('announced', fields);
    }
  }

  async #learn(model: string, signIn: string | undefined, ofLogin: boolean): Promise<void> {
    try {
      const found = await this.#probe(model, ofLogin);
      if (ofLogin) this.#general.clear();
      for (const announcement of found) this.#keep(model, announcement);
    } catch (error) {
      // What is known of the sign-in before most often holds: a renewal changes nothing of it.
      this.#log('probe failed', { model, error: String(error) });
    }
    this.#knownSignIn = signIn;
    if (!this.#models.has(model)) this.#setModel(model, undefined);
  }

  #keep(model: string, announcement: Announcement): void {
    // Each process has a date of its own.
    if (announcement.type === 'date') return;
    if (announcement.type === 'model') this.#setModel(model, announcement);
    else this.#general.set(announcement.type, announcement);
  }

  #setModel(model: string, announcement: Announcement | undefined): void {
    this.#models.delete(model);
    this.#models.set(model, announcement);
    const [oldest] = this.#models.keys();
    if (this.#models.size > MOST_MODELS && oldest !== undefined) this.#models.delete(oldest);
  }
}
