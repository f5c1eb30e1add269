/** Whose request it is. Requests of different callers never share a conversation or a process. */
export interface Caller {
  /** A digest of the client's key: tells callers apart and does not reveal the key. */
  id: string;
  /** For people, in the log. */
  name: string;
  limits: CallerLimits;
}

export interface CallerLimits {
  /** Turns, counts of tokens included, that the caller may have open at a time. */
  turns: number;
}
