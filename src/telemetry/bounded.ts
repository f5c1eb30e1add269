/** The beginning of a text. A client's text may have any length. */
export function bounded(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

/** The end of a text, such as the last lines of stderr. */
export function endOf(text: string, most: number): string {
  return text.length > most ? `…${text.slice(-most)}` : text;
}
