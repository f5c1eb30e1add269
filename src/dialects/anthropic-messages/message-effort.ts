/** A message as it came. */
interface WireMessage {
  role: string;
  content: string | ReadonlyArray<{ type: string }>;
  output_config?: unknown;
}

/** The effort that a system message sets, if its `output_config` sets nothing else. */
export function messageEffort({ role, output_config: config }: Omit<WireMessage, 'content'>): string | undefined {
  if (role !== 'system' || typeof config !== 'object' || config === null) return undefined;
  const [[field, effort] = [], ...others] = Object.entries(config);
  return field === 'effort' && typeof effort === 'string' && others.length === 0 ? effort : undefined;
}

/**
 * The effort that the API would give to the answer if a system message sets one. It holds from the user's next new input on, or
 * from the input right before it. Tool results are no new input.
 */
export function effortOfAnswer(messages: readonly WireMessage[]): string | undefined {
  const newest = messages.findLastIndex(hasNewInput);
  const begun = messages.findIndex(({ role }, index) => index > newest && role === 'assistant');
  const heard = begun < 0 ? messages : messages.slice(0, begun);
  return heard.map(messageEffort).findLast((effort) => effort !== undefined);
}

function hasNewInput({ role, content }: WireMessage): boolean {
  return role === 'user' && (typeof content === 'string' || content.some(({ type }) => type !== 'tool_result'));
}
