import type { Context } from 'hono';
import { agentParameters } from '../agents/agent-parameters.ts';
import type { Agents, Asker } from '../agents/agents.ts';
import { bringsAgents, subagentsIn } from '../agents/task-tool.ts';
import type { Agent } from '../spec/agent.ts';
import { badRequest, failed } from '../spec/failures.ts';
import type { MessagesRequest } from '../spec/messages.ts';
import type { ModelListing } from '../spec/model-listing.ts';
import type { AppOptions, Env } from './app-options.ts';
import { askerFrom, headersOf } from './request-headers.ts';

/** Below it every path of every dialect is there again, for a client that can set nothing but its base URL. */
const PREFIX = '/agents';

/** The header that names an agent, and that says on the answer which one it is of. */
const AGENT_HEADER = 'isthmus-agent';

/** A dialect's path, below any agent. */
export function belowAgent(path: string): string {
  return `${PREFIX}/:agent${path}`;
}

/** A path without the agent that it stands below. */
export function withoutAgent(path: string): string {
  return path.startsWith(`${PREFIX}/`) ? path.slice(PREFIX.length).replace(/^\/[^/]*/, '') : path;
}

/** The agent that a path stands below. */
export function agentAbove(path: string): string | undefined {
  return path.startsWith(`${PREFIX}/`) ? path.slice(PREFIX.length + 1).split('/', 1)[0] : undefined;
}

/** What the choice of an agent works with. */
type Known = Pick<AppOptions, 'agents' | 'models'>;

/**
 * Hands a request to the agent that it names: by the path, by the header, or as its model. The agent's own model takes the place
 * of the client's, and the client's own tools are left out.
 *
 * @param strict whether the request is refused that holds what would be ignored
 * @returns the same request when it names none
 * @throws FailureError `agent_not_found`, also for who may not ask; `bad_request` for two names; `field_ignored`
 */
export function withAgent(
  request: MessagesRequest,
  context: Context<Env>,
  { agents, models }: Known,
  strict: boolean,
): MessagesRequest {
  const chosen = request.askedModel ?? request.model;
  const [asked, longContext] = splitLongContext(chosen);
  const isModel = agents.has(asked);
  const name = nameIn(context, isModel ? asked : undefined);
  if (name === undefined) return request;
  const agent = found(name, agents, askerFrom(headersOf(context)));
  const { tools, toolPaths: all = tools.map((_, index) => `tools.${index}`), ignored, converted } = request;
  const toolPaths = all.filter((_, index) => !tools[index] || !bringsAgents(tools[index]));
  if (strict && toolPaths.length > 0) throw failed('field_ignored', { ignored: toolPaths });
  const subagents = subagentsIn(tools);
  return {
    ...request,
    agent: { name, ...(Object.keys(subagents).length > 0 && { subagents }) },
    ...modelOf(agent, isModel ? undefined : chosen, () => defaultModel(models) + longContext, converted),
    tools: [],
    toolPaths: [],
    ignored: [...ignored, ...toolPaths],
  };
}

/**
 * The model of the agent that a request runs: by the path, by the header, or as its model.
 *
 * @param asked what the request names as its model
 * @returns undefined where it names no agent, or one that leaves the model to it
 * @throws FailureError `agent_not_found`; `bad_request` for two names
 */
export function agentModel(asked: string, context: Context<Env>, { agents, models }: Known): string | undefined {
  const isModel = agents.has(asked);
  const name = nameIn(context, isModel ? asked : undefined);
  if (name === undefined) return undefined;
  const { model } = found(name, agents, askerFrom(headersOf(context)));
  return model ?? (isModel ? defaultModel(models) : undefined);
}

/**
 * Takes the parameters out of a turn that an agent's calls of the model do not get.
 *
 * @param strict whether the request is refused that holds what would be ignored
 * @throws FailureError `bad_request`; `field_ignored`
 */
export function withAgentParameters(request: MessagesRequest, strict: boolean): MessagesRequest {
  if (!request.agent) return request;
  const { parameters, ignored, converted } = agentParameters(request.parameters, request.parameterPaths);
  if (strict && ignored.length > 0) throw failed('field_ignored', { ignored });
  return {
    ...request,
    parameters,
    ignored: [...request.ignored, ...ignored],
    converted: [...request.converted, ...converted],
  };
}

/** The header that says which agent an answer is of. */
export function agentHeader({ agent }: Pick<MessagesRequest, 'agent'>): Record<string, string> {
  return agent ? { [AGENT_HEADER]: agent.name } : {};
}

/** What Claude Code takes behind a model's name as a wish for the long context; a dialect may have put it there. */
const LONG_CONTEXT = '[1m]';

function splitLongContext(model: string): [name: string, longContext: string] {
  return model.endsWith(LONG_CONTEXT) ? [model.slice(0, -LONG_CONTEXT.length), LONG_CONTEXT] : [model, ''];
}

/** @param chosen the model that the client chose; undefined if it named the agent in its place */
function modelOf(
  agent: Agent,
  chosen: string | undefined,
  standard: () => string,
  converted: string[],
): Pick<MessagesRequest, 'model' | 'converted'> {
  const model = agent.model ?? chosen ?? standard();
  const isReplaced = chosen !== undefined && chosen !== model;
  return { model, converted: isReplaced ? [...converted, 'model'] : converted };
}

function defaultModel(models: Known['models']): string {
  const [first] = models.list;
  if (first) return first.id;
  throw badRequest(
    'model',
    `names an agent that has no model of its own, and Claude Code lists none; name a model here, and the agent by the header ${AGENT_HEADER}`,
  );
}

/** @param inBody the agent that the request names in its body */
function nameIn(context: Context<Env>, inBody?: string): string | undefined {
  const given = Object.entries({
    'the path': context.req.param('agent'),
    [`the header ${AGENT_HEADER}`]: headersOf(context)(AGENT_HEADER)?.trim(),
    '`model`': inBody,
  }).filter(([, name]) => name !== undefined);
  const [first, ...others] = given;
  const other = others.find(([, name]) => name !== first?.[1]);
  if (!first || !other) return first?.[1];
  const [one, two] = [first, other].map(([where, name]) => `${JSON.stringify(name?.slice(0, 100))} in ${where}`);
  throw badRequest('', `The request names two agents, ${one} and ${two}. Name one.`);
}

function found(name: string, agents: Agents, asker: Asker): Agent {
  const agent = agents.find(name, asker);
  if (!agent) throw failed('agent_not_found', { name });
  return agent;
}

/**
 * The models that this client can name, and the agents that it may ask. Where it names an agent, that one alone, before the
 * models.
 *
 * @throws FailureError `agent_not_found`
 */
export function listFor(context: Context<Env>, { agents, models }: Known): ModelListing[] {
  const asker = askerFrom(headersOf(context));
  const name = nameIn(context);
  if (name !== undefined) return [asListing(found(name, agents, asker), models), ...models.list];
  return [...models.list, ...agents.for(asker).map((agent) => asListing(agent, models))];
}

/** The model or agent with this name, for this client. */
export function findFor(name: string, context: Context<Env>, { agents, models }: Known): ModelListing | undefined {
  const asker = askerFrom(headersOf(context));
  const named = nameIn(context);
  if (named !== undefined) found(named, agents, asker);
  const agent = agents.find(name, asker);
  return agent ? asListing(agent, models) : models.find(name);
}

/** With the limits of its model, as far as they are known. */
function asListing({ name, model }: Agent, models: Known['models']): ModelListing {
  const runs = model === undefined ? models.list[0] : models.find(model);
  return { ...runs, id: name, aliases: [], isAgent: true };
}
