import { z } from 'zod';
import { agentDefinitions } from './agent-definition.ts';
import { SETTINGS, type Setting, type SettingName } from './setting-table.ts';

/** A number, or text with a number; not `null`, a list or blank text. */
const numeric = z
  .union([z.number(), z.string().regex(/\S/).transform(Number)], 'must be a number')
  .pipe(z.number('must be a number'));

const hosts = z
  .union([z.string().transform((text) => text.split(',')), z.array(z.string())], 'must be host names')
  .transform((names) => names.map((name) => name.trim().toLowerCase()))
  .pipe(z.array(z.string().regex(/^[a-z0-9._-]+$/, 'must be host names without ports, with commas between them')))
  .default([]);

const origins = z
  .union([z.string().transform((text) => text.split(',')), z.array(z.string())], 'must be origins of web pages')
  .transform((given) => given.map((origin) => origin.trim().toLowerCase()))
  .pipe(
    z.array(
      z
        .string()
        .refine(
          isOrigin,
          'must be origins of web pages with commas between them, such as https://chat.example or http://localhost:5173; SCHEME://* stands for all of a scheme other than http and https',
        ),
    ),
  )
  .default([]);
const MODEL = /^[!-~]{1,256}$/;
const aliases = z
  .union(
    [
      z.string().transform((text) => Object.fromEntries(text.split(',').map((pair) => splitAtEqual(pair.trim())))),
      z.record(z.string(), z.string()),
    ],
    'must be names of models, such as gpt-5=claude-sonnet-5',
  )
  .refine(
    (given) => Object.entries(given).every(([name, model]) => MODEL.test(name) && MODEL.test(model)),
    'must be names of models with an equals sign, such as gpt-5=claude-sonnet-5, and commas between them',
  )
  .default({});

/** @returns name and model; an empty model where there is no equals sign */
function splitAtEqual(pair: string): [name: string, model: string] {
  const at = pair.indexOf('=');
  return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
}

const toggle = z.union([z.boolean(), z.stringbool()], { error: 'must be true or false' }).default(false);

/** What a setting of each kind has as its value; undefined where it has no default. */
type ValueOf<Row> = Row extends { kind: 'integer' | 'number' }
  ? number
  : Row extends { kind: 'choice'; of: readonly (infer Choice)[] }
    ? Choice | WithoutDefault<Row>
    : Row extends { kind: 'text' }
      ? string | WithoutDefault<Row>
      : Row extends { kind: 'toggle' }
        ? boolean
        : Row extends { kind: 'hosts' | 'origins' }
          ? string[]
          : Row extends { kind: 'aliases' }
            ? Record<string, string>
            : z.output<typeof agentDefinitions>;

type WithoutDefault<Row> = Row extends { default: unknown } ? never : undefined;

export type SettingValue<Name extends SettingName> = ValueOf<(typeof SETTINGS)[Name]>;

/** What holds the value of a setting; its errors begin with a verb: "must be a number". */
export function schemaOf(name: SettingName): z.ZodType {
  const row: Setting = SETTINGS[name];
  switch (row.kind) {
    case 'integer':
      return between(row).pipe(z.int('must be a whole number')).default(row.default);
    case 'number':
      return between(row).default(row.default);
    case 'choice':
      return withDefault(z.enum(row.of, `must be ${inWords(row.of)}`), row.default);
    case 'text':
      return withDefault(z.string('must be text').min(1, 'must not be empty'), row.default);
    case 'toggle':
      return toggle;
    case 'hosts':
      return hosts;
    case 'origins':
      return origins;
    case 'aliases':
      return aliases;
    case 'agents':
      return agentDefinitions;
  }
}

/** Of a web scheme as browsers write it, without a default port; other schemes have none that a URL would tell. */
function isOrigin(given: string): boolean {
  if (/^https?:/.test(given)) return !given.includes('*') && URL.canParse(given) && new URL(given).origin === given;
  return /^[a-z][a-z0-9+.-]*:\/\/(\*|[a-z0-9._-]+(:\d+)?)$/.test(given);
}

function between({ least, most }: { least: number; most: number }) {
  return numeric.pipe(z.number().min(least, `must be at least ${least}`).max(most, `must be at most ${most}`));
}

function withDefault(schema: z.ZodType<string>, standard: string | undefined): z.ZodType {
  return standard === undefined ? schema.optional() : schema.default(standard);
}

/** `read, edit or shell`. */
function inWords(choices: readonly string[]): string {
  return `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`;
}
