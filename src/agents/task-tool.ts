import type { Subagent } from '../spec/agent.ts';
import type { ClientTool } from '../spec/messages.ts';

/** What OpenCode, oh-my-opencode and Claude Code call the tool with which a model hands a task to another agent. */
const TASK_TOOLS: ReadonlySet<string> = new Set(['task', 'agent']);
/** The line of its description in front of the list of agents. */
const HEADING = /\bagent types?\b.*:\s*$|^#*\s*available (sub)?agents\b.*:?\s*$/i;
/** One agent of the list, with the tools that Claude Code adds. A name may have several words: `Metis - Plan Consultant`. */
const ITEM = /^(\s*)[-*]\s+[`"*]*([A-Za-z][\w .()-]{0,63}?)[`"*]*\s*(?::|—|–)\s*(.+?)\s*$/;
const TOOLS_NOTE = /\s*\(Tools: [^)]*\)\s*$/;
/** What begins another part of the description; other lines behind an agent are more words about it. */
const NEXT_PART = /^\s*(#|[A-Z*][^<>"]*:[*\s]*$)/;
/** Characters without a width, by which plugins sort names. */
const INVISIBLE = /[\u200b-\u200d\u2060\ufeff]/g;
/** The most agents that are taken from a list, and the most characters of a line that is read. */
const MOST = 50;
const LONGEST_LINE = 2_000;

/**
 * The agents that a client's task tool lists, by their names. Of each, only its description is known, so that is its prompt too.
 *
 * @returns none where the client has no such tool, or its description no list
 */
export function subagentsIn(tools: readonly ClientTool[]): Record<string, Subagent> {
  const found: Record<string, Subagent> = {};
  for (const { name, description = '' } of tools) {
    if (!TASK_TOOLS.has(name.toLowerCase())) continue;
    for (const [agent, about] of listIn(description)) {
      if (Object.keys(found).length >= MOST || Object.hasOwn(found, agent)) continue;
      found[agent] = { description: about, prompt: `You are the agent “${agent}”: ${about}` };
    }
  }
  return found;
}

/** Whether agents are taken from this tool. */
export function bringsAgents(tool: ClientTool): boolean {
  return Object.keys(subagentsIn([tool])).length > 0;
}

/** The items behind the heading, as far in as the first one. */
function listIn(description: string): Array<[name: string, about: string]> {
  const lines = description.split('\n').map((line) => (line.length > LONGEST_LINE ? '' : line.replace(INVISIBLE, '')));
  const heading = lines.findIndex((line) => HEADING.test(line));
  const items: Array<[string, string]> = [];
  if (heading < 0) return items;
  let indent: string | undefined;
  for (const line of lines.slice(heading + 1)) {
    const [, spaces, name, about] = ITEM.exec(line) ?? [];
    if (name !== undefined && about !== undefined && spaces === (indent ?? spaces)) {
      indent = spaces;
      items.push([name.trim(), about.replace(TOOLS_NOTE, '')]);
    } else if (NEXT_PART.test(line)) break;
  }
  return items;
}
