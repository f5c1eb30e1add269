import type { Context } from 'hono';
import { limitsBody } from '../limits/usage-body.ts';
import { FAILURES } from '../spec/failures.ts';
import type { AppOptions, Env } from './app-options.ts';

/** What is looked at. */
type Looked = Pick<AppOptions, 'gateway' | 'isBinaryThere'>;

/** What supervisors and load balancers ask: whether this program runs. */
export function liveHandler(context: Context<Env>): Response {
  return context.json(ALIVE);
}

/** The body of `GET /livez`, from the first moment on. */
export const ALIVE = { status: 'alive' } as const;

/** The checks of `GET /readyz`: `ok`, or a sentence that says what is wrong and how to mend it. */
interface Checks {
  serving: string;
  binary: string;
  credential: string;
  processes: string;
}

/** The body of `GET /readyz` before there is a gateway. */
export const STARTING = { status: 'not_ready', checks: { serving: 'Isthmus is starting.' } } as const;

/** Whether a turn that is sent now can be answered: 200, or 503 with the checks that fail. */
export function readyHandler(looked: Looked) {
  return (context: Context<Env>): Response => {
    const checks = checksOf(looked);
    const isReady = Object.values(checks).every((found) => found === OK);
    return context.json({ status: isReady ? 'ready' : 'not_ready', checks }, isReady ? undefined : UNAVAILABLE);
  };
}

const OK = 'ok';
/** As a turn would be refused now. */
const UNAVAILABLE = { status: FAILURES.shutting_down.status };

function checksOf({ gateway, isBinaryThere }: Looked): Checks {
  const { signIn, failing } = gateway.status;
  return {
    serving: gateway.isDraining ? 'Isthmus is being stopped and takes no new turns.' : OK,
    binary: isBinaryThere()
      ? OK
      : 'The `claude` binary that ran at the start is gone. Install it again, or start Isthmus with --claude PATH.',
    credential: {
      ok: OK,
      missing: 'The login that paid at the start is gone. Run `claude auth login` where Isthmus runs.',
      refused:
        'The latest turn was refused for want of a valid credential. Run `claude auth login` where Isthmus runs, or start it again with another credential.',
    }[signIn],
    processes: failing
      ? `The \`claude\` processes end by themselves, ${failing.inARow} in a row. Isthmus tries again in ${failing.retrySeconds} s; its log has their last words.`
      : OK,
  };
}

/** Everything that is known, for people. 503 while no turn can be answered for want of a credential, or since Isthmus stops. */
export function healthHandler({
  gateway,
  identity,
  agents,
  limits,
}: Pick<AppOptions, 'gateway' | 'identity' | 'agents' | 'limits'>) {
  return (context: Context<Env>): Response => {
    const known = limits.at(Date.now());
    const { status } = gateway;
    const word = gateway.isDraining
      ? 'draining'
      : status.signIn !== 'ok'
        ? 'not_signed_in'
        : status.failing
          ? 'claude_failing'
          : 'ok';
    const isAvailable = word === 'ok' || word === 'claude_failing';
    return context.json(
      { status: word, ...identity, ...status, agents: agents.summary, limits: known ? limitsBody(known) : null },
      isAvailable ? undefined : UNAVAILABLE,
    );
  };
}
