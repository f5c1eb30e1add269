import type { Context } from 'hono';
import { failed } from '../spec/failures.ts';
import { stepsBody } from '../spec/steps-body.ts';
import type { AppOptions, Env } from './app-options.ts';
import { callerFrom, headersOf } from './request-headers.ts';

/** Serves what an agent did in a turn of the same caller, by the turn's `request-id`, as long as it is kept. */
export function agentStepsHandler(gateway: Pick<AppOptions['gateway'], 'agentTurn'>) {
  return async (context: Context<Env>): Promise<Response> => {
    const id = context.req.param('id') ?? '';
    const found = await gateway.agentTurn(id, callerFrom(headersOf(context)));
    if (!found)
      throw failed('not_found', `No turn ${JSON.stringify(id.slice(0, 100))} of an agent is kept for this key.`);
    const { turn, agent, session, at, steps } = found;
    return context.json({ id: turn, agent, session, at: new Date(at).toISOString(), ...stepsBody(steps) });
  };
}
