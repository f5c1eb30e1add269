import { isAbsolute, relative } from 'node:path';
import type { SDKMessage } from '@anthropic-ai/claude-agent-sdk';
import type { AgentStep, TurnSteps } from '../../spec/agent.ts';
import type { ContentBlock, JsonObject } from '../../spec/messages.ts';

/** The most characters that a step says of what it was done to. */
const LONGEST_ABOUT = 200;
/** The most steps that are told of a turn. */
const MOST_STEPS = 1_000;

/** The tools that hand a task to another agent. */
const DELEGATES: ReadonlySet<unknown> = new Set(['Agent', 'Task']);
/** The tools that change a file. */
const WRITES: ReadonlySet<unknown> = new Set(['Edit', 'Write']);
/** What says what a tool was used on, by its input; the first that is there. */
const ABOUT = ['file_path', 'command', 'pattern', 'description', 'path', 'url', 'query'] as const;

/** Notes what an agent does in one turn, from the SDK's messages. */
export class AgentSteps {
  readonly #workspace: string;
  readonly #byCall = new Map<unknown, AgentStep & { input: JsonObject }>();
  readonly #changed = new Set<string>();
  /** Their declared names, by the call that has given them their task. */
  readonly #subagents = new Map<unknown, string>();
  #hasBegun = false;

  constructor(workspace: string) {
    this.#workspace = workspace;
  }

  /** Whether a tool may have run. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  get hasSubagents(): boolean {
    return [...this.#byCall.values()].some(({ tool }) => DELEGATES.has(tool));
  }

  get told(): TurnSteps {
    const steps = [...this.#byCall.values()].map(({ input: _, ...step }) => step);
    return { steps, changedFiles: [...this.#changed].sort() };
  }

  /** @returns the steps of the agent itself that it has begun */
  hear(message: SDKMessage): AgentStep[] {
    if (message.type === 'assistant') return this.#begin(message.message.content, message.parent_tool_use_id);
    if (message.type === 'user') this.#end(message.message.content);
    if (message.type === 'system' && message.subtype === 'task_started') {
      this.#subagents.set(message.tool_use_id, String(message.subagent_type));
    }
    return [];
  }

  #begin(content: readonly object[], parent: string | null): AgentStep[] {
    const begun: AgentStep[] = [];
    for (const { type, id, name, input } of content as readonly ContentBlock[]) {
      if (type !== 'tool_use' || this.#byCall.has(id) || this.#byCall.size >= MOST_STEPS) continue;
      const given = (input ?? {}) as JsonObject;
      const step: AgentStep = {
        tool: String(name),
        about: this.#about(given),
        isError: false,
        ...(parent === null ? {} : { subagent: this.#subagents.get(parent) ?? 'subagent' }),
      };
      this.#byCall.set(id, { ...step, input: given });
      // A subagent's own calls come while its parent's runs.
      if (!DELEGATES.has(name)) this.#hasBegun = true;
      if (parent === null) begun.push(step);
    }
    return begun;
  }

  #end(content: string | readonly object[]): void {
    if (typeof content === 'string') return;
    for (const { type, tool_use_id, is_error } of content as readonly ContentBlock[]) {
      const step = type === 'tool_result' ? this.#byCall.get(tool_use_id) : undefined;
      if (!step) continue;
      step.isError = is_error === true;
      const path = step.input.file_path;
      if (!step.isError && WRITES.has(step.tool) && typeof path === 'string') this.#changed.add(this.#within(path));
    }
  }

  #about(input: JsonObject): string {
    const said = ABOUT.map((name) => input[name]).find((value) => typeof value === 'string') as string | undefined;
    const text = said !== undefined && isAbsolute(said) ? this.#within(said) : (said ?? '');
    const line = text.split('\n')[0] ?? '';
    return line.length > LONGEST_ABOUT ? `${line.slice(0, LONGEST_ABOUT - 1)}…` : line;
  }

  /** A path as people in the workspace would say it. */
  #within(path: string): string {
    const short = relative(this.#workspace, path);
    return short.startsWith('..') ? path : short || '.';
  }
}
