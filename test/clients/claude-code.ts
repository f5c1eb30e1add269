import { join } from 'node:path';
import type { ContentBlock, ModelRequest } from '../../scripted-model/script.ts';
import { findExecutable } from '../../src/engine/environment/executable.ts';
import { systemTexts } from './comparison.ts';
import { type ClientRun, type Files, Project } from './project.ts';

/** One line of what Claude Code prints with `--output-format stream-json`. */
export interface ClaudeCodeEvent {
  type: string;
  message?: { id: string; content: ContentBlock[] };
  [field: string]: unknown;
}

export interface ClaudeCodeRun extends ClientRun {
  events: ClaudeCodeEvent[];
}

/** A repository in which Claude Code runs: the binary that comes with the Agent SDK, here as a client. */
export class ClaudeCodeProject extends Project {
  readonly #variables: Record<string, string>;

  /** @param url what Claude Code is told to be the Messages API */
  constructor(url: string, files: Files) {
    super('claude-code', files);
    this.#variables = {
      CLAUDE_CONFIG_DIR: join(this.home, 'claude'),
      ANTHROPIC_BASE_URL: url,
      ANTHROPIC_API_KEY: 'dummy',
    };
  }

  /** Runs `claude -p` with these arguments. */
  async run(args: readonly string[], model: string, input = ''): Promise<ClaudeCodeRun> {
    const run = await this.runProgram(
      findExecutable(undefined).path,
      ['-p', ...args, '--model', model, '--output-format', 'stream-json', '--verbose'],
      this.#variables,
      input,
    );
    return withEvents(run);
  }

  /** Runs a script that prints such lines, too; it gets the value as JSON. */
  async runScript(file: string, value: object): Promise<ClaudeCodeRun> {
    return withEvents(await this.runProgram(process.execPath, [file, JSON.stringify(value)], this.#variables));
  }
}

/** A line for `--input-format stream-json`: a message of the user. */
export function userLine(...content: ContentBlock[]): string {
  return `${JSON.stringify({ type: 'user', message: { role: 'user', content } })}\n`;
}

/** The texts that Claude Code says are the outcome: one for each turn, or the whole event of one that failed. */
export function outcomes({ events }: ClaudeCodeRun): unknown[] {
  return events
    .filter(({ type }) => type === 'result')
    .map((event) => (event.subtype === 'success' && event.is_error === false ? event.result : event));
}

/** What Claude Code showed of the model's answers: their blocks by the answer's id. */
export function shownAnswers({ events }: ClaudeCodeRun): Map<string, ContentBlock[]> {
  const shown = new Map<string, ContentBlock[]>();
  for (const { type, message } of events) {
    if (type === 'assistant' && message) shown.set(message.id, [...(shown.get(message.id) ?? []), ...message.content]);
  }
  return shown;
}

/** Whether a subagent asks. */
export function isOfSubagent(request: ModelRequest): boolean {
  return systemTexts(request).some((text) => /^You are an agent for Claude Code/m.test(text));
}

function withEvents(run: ClientRun): ClaudeCodeRun {
  return { ...run, events: run.stdout.split('\n').filter(Boolean).map(parseEvent) };
}

function parseEvent(line: string): ClaudeCodeEvent {
  return JSON.parse(line) as ClaudeCodeEvent;
}
