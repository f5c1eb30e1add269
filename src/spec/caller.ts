/** Whose request it is. Requests of different callers never share a conversation or a process. */
export interface Caller {
  /** Tells callers apart, and gives away no key: a digest. */
  id: string;
  /** For people, in the log. */
  name: string;
  limits: CallerLimits;
}

export interface CallerLimits {
  /** Turns, counts of tokens included, that the caller may have open at a time. */
  turns: number;
}
