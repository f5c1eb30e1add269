import type { ModelRequest, RuleFunction, ScriptedBlock } from '../../scripted-model/script.ts';
import { newestToolResults } from '../../scripted-model/script.ts';
import { until } from '../support/gateway.ts';
import { type ClientRun, type Files, Project, type RunningProgram } from './project.ts';
import type { Observation, Stage } from './stage.ts';

/** How long a request may wait for another one, in milliseconds, before its connection is dropped. */
const LONGEST_WAIT_MS = 60_000;

const VARIABLES = {
  OPENCODE_DISABLE_AUTOUPDATE: '1',
  OPENCODE_DISABLE_MODELS_FETCH: '1',
  OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
  OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
  // It asks the npm registry for a package that plugins may need, and a plugin waits until it has given up.
  npm_config_offline: 'true',
  OMO_SEND_ANONYMOUS_TELEMETRY: '0',
};

/** A repository in which OpenCode runs. */
export class OpenCodeProject extends Project {
  /**
   * @param url what OpenCode is told to be the Messages API
   * @param more what its configuration has beside the usual
   */
  constructor(url: string, files: Files, more: object = {}) {
    const configuration = {
      autoupdate: false,
      share: 'disabled',
      permission: 'allow',
      model: 'anthropic/claude-sonnet-4-5',
      provider: { anthropic: { options: { baseURL: `${url}/v1`, apiKey: 'dummy' } } },
      ...more,
    };
    super('opencode', { ...files, 'opencode.json': JSON.stringify(configuration, null, 2) });
  }

  /** Runs `opencode` with these arguments. */
  async run(...args: string[]): Promise<ClientRun> {
    return this.runProgram(binary(), args, VARIABLES);
  }

  /** Starts `opencode` with these arguments. */
  start(...args: string[]): RunningProgram {
    return this.startProgram(binary(), args, VARIABLES);
  }
}

function binary(): string {
  const path = process.env.ISTHMUS_CLIENTS_OPENCODE;
  if (!path) throw new Error('Run these checks with `npm run test:clients`, which installs OpenCode first.');
  return path;
}

export interface ObserveOptions {
  /** Lets the title request and the first main one go to the gateway only when both have come. */
  together?: boolean;
}

/** Runs `opencode` with these arguments and tells what happened on both sides of the gateway. */
export function observe(
  stage: Stage,
  project: OpenCodeProject,
  args: string[],
  { together = false }: ObserveOptions = {},
): Promise<Observation<ClientRun>> {
  return stage.observe(
    () => project.run(...args),
    async ({ body }, exchanges) => {
      const titles = () => exchanges().filter((exchange) => isTitle(exchange.body));
      if (together) {
        const haveMet = () => titles().length > 0 && titles().length < exchanges().length;
        await until('a title request and a main one have come', haveMet, LONGEST_WAIT_MS);
      }
      // OpenCode drops its title request when it has finished before it, so the title goes first.
      if (!isTitle(body) && newestToolResults(body).length > 0) {
        const areDone = () => titles().every(({ outcome }) => outcome !== 'open');
        await until('the title request has been answered', areDone, LONGEST_WAIT_MS);
      }
    },
  );
}

/** OpenCode's title requests are the only ones without tools. */
export function isTitle({ tools }: ModelRequest): boolean {
  return (tools ?? []).length === 0;
}

/** Answers title requests; it goes before other rules, whose prompts are in the title request too. */
export function titleRule(...content: ScriptedBlock[]): RuleFunction {
  return (request) => (isTitle(request) ? { content } : undefined);
}
