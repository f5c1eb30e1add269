import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Reply } from '../../scripted-model/script.ts';
import type { ScriptedModel } from '../../scripted-model/server.ts';
import type { Agent } from '../../src/spec/agent.ts';

/** A folder with files for an agent. */
export interface Workspace {
  path: string;
  file(name: string): string;
  /** The text of a file. */
  read(name: string): string;
  remove(): void;
}

export function makeWorkspace(files: Readonly<Record<string, string>>): Workspace {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'isthmus-workspace-')));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content);
  return {
    path,
    file: (name) => join(path, name),
    read: (name) => readFileSync(join(path, name), 'utf8'),
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** An agent as an operator would define it who says no more than he must. */
export function plainAgent(given: Partial<Agent> = {}): Agent {
  return {
    name: 'docs',
    level: 'read',
    workspace: '/work/docs',
    system: '',
    usesPreset: false,
    readsClaudeMd: false,
    deny: [],
    allowedHosts: [],
    mcpServers: {},
    subagents: {},
    maxTurns: 50,
    maxSeconds: 600,
    showSteps: false,
    ...given,
  };
}

/** One that writes in a workspace. */
export function agentIn({ path }: Workspace, given: Partial<Agent> = {}): Agent {
  return plainAgent({ level: 'edit', workspace: path, ...given });
}

/** An answer that calls a tool. */
export function calling(...calls: Array<[id: string, name: string, input: object]>): Reply {
  return { content: calls.map(([id, name, input]) => ({ type: 'tool_use', id, name, input })) };
}

export function saying(text: string): Reply {
  return { content: [{ type: 'text', text }] };
}

/** Has the model give these answers one after the other, and then those that it gives without any. */
export function answering(model: ScriptedModel, ...replies: Reply[]): void {
  let next = 0;
  model.use([() => replies[next++]]);
}
