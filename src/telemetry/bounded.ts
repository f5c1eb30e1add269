/** The beginning of a text: some are a client's, and may be of any length. */
export function bounded(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

/** The end of a text, where the last words stand. */
export function endOf(text: string, most: number): string {
  return text.length > most ? `…${text.slice(-most)}` : text;
}
