import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../support/gateway.ts';
import { blocksOf } from './comparison.ts';
import { type ClientRun, type Conversation, type Files, Project } from './project.ts';

/** How long pi may take to say something, in milliseconds. */
const LONGEST_WAIT_MS = 60_000;

/** One line of what pi prints in its RPC mode. */
export interface PiEvent {
  type: string;
  [field: string]: unknown;
}

export interface PiConversation extends ClientRun {
  events: PiEvent[];
}

/** Yields commands for pi; waits between them for what pi says. */
export type PiScript = (pi: PiWaiting) => AsyncGenerator<PiCommand>;

interface PiCommand {
  type: string;
  [field: string]: unknown;
}

interface PiWaiting {
  /** Until pi has printed an event of this type behind the last one that was waited for. */
  says(type: string): Promise<void>;
}

/** A repository in which pi runs. */
export class PiProject extends Project {
  /**
   * @param url what pi is told to be the Messages API
   * @param settings of pi itself, where they are not its own
   */
  constructor(url: string, files: Files, settings: object = {}) {
    super('pi', files);
    const folder = join(this.home, '.pi', 'agent');
    mkdirSync(folder, { recursive: true });
    const models = { providers: { anthropic: { baseUrl: url, apiKey: 'dummy' } } };
    writeFileSync(join(folder, 'models.json'), JSON.stringify(models));
    writeFileSync(join(folder, 'settings.json'), JSON.stringify(settings));
  }

  /** Runs `pi -p` with these arguments. */
  run(...args: string[]): Promise<ClientRun> {
    return this.#runPi(['-p', ...args]);
  }

  /** Runs pi in its RPC mode: one process, commands as lines of its input. */
  async converse(script: PiScript, ...args: string[]): Promise<PiConversation> {
    const run = await this.#runPi(['--mode', 'rpc', ...args], async function* (stdout) {
      let read = 0;
      const says = (type: string) => {
        const hasSaid = () => {
          const index = eventsIn(stdout()).findIndex((event, at) => at >= read && event.type === type);
          if (index >= 0) read = index + 1;
          return index >= 0;
        };
        return until(`pi says ${type}`, hasSaid, LONGEST_WAIT_MS);
      };
      for await (const command of script({ says })) yield `${JSON.stringify(command)}\n`;
    });
    return { ...run, events: eventsIn(run.stdout) };
  }

  #runPi(args: string[], input?: Conversation): Promise<ClientRun> {
    const { ISTHMUS_CLIENTS_NODE_22: node, ISTHMUS_CLIENTS_PI: folder } = process.env;
    if (!node || !folder) throw new Error('Run these checks with `npm run test:clients`, which installs pi first.');
    const program = join(folder, 'node_modules', '@earendil-works', 'pi-coding-agent', 'dist', 'bundle', 'cli.js');
    const model = ['--provider', 'anthropic', '--model', 'claude-sonnet-4-5'];
    return this.runProgram(node, [program, ...model, ...args], { PI_OFFLINE: '1' }, input);
  }
}

/** Every whole line that pi has printed. */
function eventsIn(stdout: string): PiEvent[] {
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as PiEvent);
}

/** How each answer of the model ended, as pi understood it, and the answer's text. */
export function answersIn({ events }: PiConversation): Array<[stopReason: unknown, text: string]> {
  return events.flatMap(({ type, message }) => {
    const { role, stopReason, content } = (message ?? {}) as { role?: string; stopReason?: string; content?: unknown };
    if (type !== 'message_end' || role !== 'assistant') return [];
    return [
      [
        stopReason,
        blocksOf(content)
          .flatMap(({ text }) => text ?? [])
          .join(''),
      ],
    ];
  });
}
