import { join } from 'node:path';
import type { ModelRequest, RuleFunction } from '../../scripted-model/script.ts';
import { until } from '../support/gateway.ts';
import { systemTexts } from './comparison.ts';
import { type ClientRun, type Conversation, type Files, Project } from './project.ts';
import type { Exchange } from './recording-proxy.ts';
import { text } from './rules.ts';

/** How long Qwen Code may take for one turn, in milliseconds. */
const LONGEST_TURN_MS = 60_000;

/** A repository in which Qwen Code runs. */
export class QwenCodeProject extends Project {
  readonly #url: string;

  /** @param url what Qwen Code is told to be the Messages API */
  constructor(url: string, files: Files) {
    super('qwen-code', files);
    this.#url = url;
  }

  /** Runs `qwen` with these arguments, without a terminal. */
  run(...args: string[]): Promise<ClientRun> {
    return this.#runQwen(args);
  }

  /** Has several turns with one `qwen`, which is told each prompt when it has answered the one before. */
  async converse(...prompts: string[]): Promise<QwenCodeConversation> {
    const formats = ['--input-format', 'stream-json', '--output-format', 'stream-json'];
    const run = await this.#runQwen(formats, async function* (stdout) {
      for (const [index, content] of prompts.entries()) {
        yield `${JSON.stringify({ type: 'user', message: { role: 'user', content } })}\n`;
        await until('qwen has answered', () => resultsIn(stdout()).length > index, LONGEST_TURN_MS);
      }
    });
    return { ...run, results: resultsIn(run.stdout) };
  }

  #runQwen(args: string[], input?: Conversation): Promise<ClientRun> {
    const { ISTHMUS_CLIENTS_NODE_22: node, ISTHMUS_CLIENTS_QWEN_CODE: folder } = process.env;
    if (!node || !folder) {
      throw new Error('Run these checks with `npm run test:clients`, which installs Qwen Code first.');
    }
    const program = join(folder, 'node_modules', '@qwen-code', 'qwen-code', 'cli-entry.js');
    const variables = {
      ANTHROPIC_BASE_URL: this.#url,
      ANTHROPIC_API_KEY: 'dummy',
      ANTHROPIC_MODEL: 'claude-sonnet-4-5',
    };
    return this.runProgram(node, [program, '--auth-type', 'anthropic', '--yolo', ...args], variables, input);
  }
}

/** Several turns with one process, and the outcome of each. */
export interface QwenCodeConversation extends ClientRun {
  results: unknown[];
}

/**
 * Whether a request is of the subagent that looks through a finished turn for what is worth to be remembered. It has the
 * turn's messages as its own history, under another system prompt.
 */
export function isOfMemory(request: ModelRequest): boolean {
  return systemTexts(request).some((text) => text.includes('managed memory extraction subagent'));
}

/** Answers that subagent; it goes before other rules, whose prompts are in its history too. */
export const memoryRule: RuleFunction = (request) =>
  isOfMemory(request) ? { content: [text('Nothing is worth to be remembered.')] } : undefined;

/** The exchanges that are not of that subagent, which comes only after some turns, and in its own time. */
export function withoutMemory(exchanges: readonly Exchange[]): Exchange[] {
  return exchanges.filter(({ body }) => !isOfMemory(body));
}

function resultsIn(stdout: string): unknown[] {
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as { type: string; result?: unknown })
    .filter(({ type }) => type === 'result')
    .map(({ result }) => result);
}
