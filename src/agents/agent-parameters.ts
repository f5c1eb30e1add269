import { badRequest } from '../spec/failures.ts';
import type { JsonObject, MessagesRequest } from '../spec/messages.ts';

/** What becomes of a parameter beside an agent, which calls the model several times for one answer. */
type Fate =
  /** Each call of the model has something else in its place. */
  | { is: 'replaced'; why: string }
  /** It would cut or bend calls that the client does not see. */
  | { is: 'ignored'; why: string }
  | {
      is: 'refused';
      why: string;
      unless: (value: JsonObject) => boolean;
      /** Of one that is not refused, what is ignored where it is true. */
      ignores: readonly string[];
    };

/** The parameters that do not reach each call of the model as they are; docs/agents.md names each. */
export const AGENT_PARAMETERS: Readonly<Record<string, Fate>> = {
  max_tokens: { is: 'replaced', why: 'each call of the model may be as long as Claude Code lets it be' },
  stop_sequences: { is: 'ignored', why: 'they would cut calls that the client does not see' },
  tool_choice: {
    is: 'refused',
    why: 'an agent chooses its tools by itself, and a forced one would never end; leave it out, or ask for auto',
    unless: ({ type }) => type === 'auto',
    ignores: ['disable_parallel_tool_use'],
  },
};

/**
 * The parameters of an agent's request as each call of the model gets them, and the paths of those that it does not.
 *
 * @param paths where they stand in the client's own body, if elsewhere; undefined for what the client did not send
 * @throws FailureError `bad_request`
 */
export function agentParameters(
  given: JsonObject,
  paths: Readonly<Record<string, string | undefined>> = {},
): Pick<MessagesRequest, 'parameters' | 'ignored' | 'converted'> {
  const parameters: JsonObject = {};
  const ignored: string[] = [];
  const converted: string[] = [];
  for (const [name, value] of Object.entries(given)) {
    const fate = Object.hasOwn(AGENT_PARAMETERS, name) ? AGENT_PARAMETERS[name] : undefined;
    if (!fate) parameters[name] = value;
    else if (fate.is === 'replaced') converted.push(name);
    else if (fate.is === 'ignored' && !isEmpty(value)) ignored.push(name);
    else if (fate.is === 'refused') {
      const parts = (value ?? {}) as JsonObject;
      if (!fate.unless(parts)) throw badRequest(name, fate.why);
      ignored.push(...fate.ignores.filter((part) => parts[part] === true).map((part) => `${name}.${part}`));
    }
  }
  const inBody = (names: readonly string[]) =>
    names.map((name) => (name in paths ? paths[name] : name)).filter((path) => path !== undefined);
  return { parameters, ignored: inBody(ignored), converted: inBody(converted) };
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}
