import type { HttpBindings } from '@hono/node-server';
import type { Agents } from '../agents/agents.ts';
import type { Dialects } from '../dialects/dialect.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { KnownLimits } from '../limits/known-limits.ts';
import type { KnownModels } from '../models/known-models.ts';
import type { TurnObserver } from '../spec/turn-record.ts';
import type { Log } from '../telemetry/log.ts';

/** What the routes work with. */
export interface AppOptions {
  gateway: Pick<Gateway, 'open' | 'countTokens' | 'status' | 'agentTurn' | 'isDraining'>;
  dialects: Dialects;
  /** The gateway's own id; requests that came through it are refused. */
  id: string;
  /** The address that the gateway listens on, as the operator wrote it. */
  bindHost: string;
  /** Other names that it is called by, in lower case. */
  allowedHosts: readonly string[];
  /** Origins whose pages may use it, in lower case. */
  allowedOrigins: readonly string[];
  keepAliveMs: number;
  /** Whether every request is refused that holds what would be ignored. */
  strict: boolean;
  /** Whether a value of `anthropic-beta` reaches the provider of the model. */
  passesBeta: (value: string) => boolean;
  models: Pick<KnownModels, 'list' | 'find'>;
  /** The model that the operator means by a name of his own. */
  aliasOf: (name: string) => string | undefined;
  agents: Agents;
  /** Whether the `claude` binary can still be run. */
  isBinaryThere: () => boolean;
  /** What `GET /health` says besides the processes. */
  identity: {
    version: string;
    mode: 'bare' | 'full';
    credential: string;
    /** When it began to take requests, as ISO 8601 in UTC. */
    startedAt: string;
  };
  /** What is known of the plan's limits. */
  limits: Pick<KnownLimits, 'at'>;
  /** Each is told of every turn when it is over. */
  observers: readonly TurnObserver[];
  log: Log;
  /** Whether the log has the shape of each request. */
  logsShapes: boolean;
}

/** What a request brings to its route. */
export type Env = { Bindings: HttpBindings; Variables: { requestId: string } };
