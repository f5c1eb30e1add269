import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { AGENT_LEVELS } from './setting-table.ts';
import { similar } from './similar.ts';

/**
 * An object with these keys alone. Another one is refused, with the key that it may stand for.
 *
 * @param hint stands behind the list of keys
 */
function only<Shape extends z.ZodRawShape>(shape: Shape, hint = '') {
  const keys = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return `must be an object with ${keys.join(', ')}`;
      const unknown = issue.keys[0] ?? '';
      const meant = similar(unknown, keys);
      return `has no setting ${JSON.stringify(unknown)}${meant ? `. Did you mean ${JSON.stringify(meant)}?` : `; it may have ${keys.join(', ')}${hint}`}`;
    },
  });
}

const text = z.string('must be text');
const words = text.min(1, 'must not be empty');
const toggle = z.boolean('must be true or false').default(false);
const number = (least: number, most: number) =>
  z.number('must be a number').min(least, `must be at least ${least}`).max(most, `must be at most ${most}`);
const integer = (least: number, most: number) => number(least, most).pipe(z.int('must be a whole number'));
const listOf = <Item extends z.ZodType>(item: Item, what: string) => z.array(item, `must be a list of ${what}`);
/** Things by their names. */
const named = <Item extends z.ZodType>(item: Item, name: RegExp, what: string) =>
  z.record(z.string().regex(name), item, {
    error: ({ code }) =>
      code === 'invalid_key' ? `is no name; names match ${name.source}` : `must be an object of ${what}`,
  });

const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
const model = text.regex(/^[!-~]{1,256}$/, 'must be the id of a model');
const values = (what: string) => z.record(z.string(), text, `must be an object of ${what}`).default({});
const url = text.refine(
  (given) => URL.canParse(given) && /^https?:$/.test(new URL(given).protocol),
  'must be a URL that begins with http:// or https://',
);

const mcpServer = z.discriminatedUnion(
  'type',
  [
    only(
      {
        type: z.literal('stdio').optional(),
        command: words,
        args: listOf(text, 'words').default([]),
        env: values('variables'),
      },
      ' (a server at a URL needs "type": "http" or "type": "sse")',
    ),
    only({ type: z.literal('http'), url, headers: values('headers') }),
    only({ type: z.literal('sse'), url, headers: values('headers') }),
  ],
  'must have a command, or a url and "type": "http" or "type": "sse"',
);

const subagent = only({
  description: words,
  prompt: words,
  tools: listOf(words, 'names of tools').optional(),
  model: model.optional(),
});

const host = text.regex(
  /^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*$/i,
  'must be the name of a host without scheme and port, such as registry.npmjs.org or *.example.com',
);
const origin = text.refine(
  (given) => URL.canParse(given) && new URL(given).origin === given.toLowerCase(),
  'must be the origin of a web page: scheme, host and port alone, such as https://chat.example',
);

/** One agent of the configuration file: shapes alone, `src/agents` says what they mean. */
export const agentDefinition = only({
  level: z.enum(AGENT_LEVELS, 'must be read, edit or shell'),
  workspace: text.refine(
    (path) => isAbsolute(path) || path.startsWith('~/'),
    'must be the path of a folder, from / or ~/ on',
  ),
  model: model.optional(),
  system: text.default(''),
  preset: toggle,
  claudeMd: toggle,
  deny: listOf(words, 'rules and names of presets').default([]),
  allowedHosts: listOf(host, 'hosts').default([]),
  mcpServers: named(mcpServer, NAME, 'servers by their names').default({}),
  subagents: named(subagent, NAME, 'subagents by their names').default({}),
  maxTurns: integer(1, 1000).default(50),
  maxSeconds: integer(1, 86_400).default(600),
  maxBudgetUsd: number(0.0001, 100_000).optional(),
  showSteps: toggle,
  key: text.optional(),
  origins: listOf(origin, 'origins of web pages').default([]),
});

/** An agent as the operator writes it. */
export type AgentDefinition = z.input<typeof agentDefinition>;

/** The same with the defaults. */
export type CheckedDefinition = z.output<typeof agentDefinition>;

/** All agents by their names. */
export const agentDefinitions = z
  .record(z.string(), agentDefinition, 'must be an object of agents by their names')
  .default({});
