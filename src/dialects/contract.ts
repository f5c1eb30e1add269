/**
 * - `honoured`: the model's API is asked for it exactly so
 * - `replaced`: Claude Code's own takes its place; the answer does not depend on it
 * - `converted`: reaches the model in another form, which `isthmus-converted` names
 * - `ignored`: not acted on, which `isthmus-ignored` names; a 400 in strict mode
 * - `refused`: a 400 that says what to do instead
 */
export type Handling = 'honoured' | 'replaced' | 'converted' | 'ignored' | 'refused';

/** What becomes of one thing that a request can hold. */
export interface Row {
  handling: Handling;
  /** One sentence for people; for a refused field also the text of its 400. */
  note: string;
  /** The field goes into the model's request as it is. */
  passed?: true;
  /** The beta that the API wants beside the field. Where it does not reach the provider, the field is ignored with it. */
  beta?: string;
  /** Values that ask for nothing, beside null: with one of them the field is neither ignored nor refused. */
  unless?: readonly unknown[];
}
