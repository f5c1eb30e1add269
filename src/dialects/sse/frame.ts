/** One server-sent event with a JSON payload; `JSON.stringify` leaves no line break inside `data`. */
export function sseFrame(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
