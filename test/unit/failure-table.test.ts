import { readdirSync, readFileSync } from 'node:fs';
import { STATUS_CODES } from 'node:http';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { behindTools, FAILURES, failure } from '../../src/spec/failures.ts';
import { ROOT } from '../support/gateway.ts';

/** Status, type and words of a failure stand in one table; nothing else in the product has a literal one. */

/** The table, and that of what OpenAI's APIs call its failures. */
const TABLES = ['src/spec/failures.ts', 'src/dialects/openai/openai-errors.ts'];
const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  .map((name) => join('src', name))
  .filter((file) => !TABLES.includes(file));

/** Those of HTTP, and those that the table has beside them. */
const STATUSES = new Set<string>([
  ...Object.keys(STATUS_CODES).filter((status) => Number(status) >= 400),
  ...Object.values(FAILURES).map(({ status }) => String(status)),
]);

const COMMENT = /\/\*.*?\*\/|(?<![:'"`/])\/\/[^\n]*/gs;
const STRING = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g;
/** A template without its `${…}`. */
const TEMPLATE = /`(?:\\.|[^`\\])*`/gs;
const NUMBER = /(?<![\w.$])[45]\d\d(?![\w.])/g;
/** A limit or a time with a name of its own is no status. */
const NAMED = /^\s*(?:export )?const (?![A-Z_]*STATUS)[A-Z_]+ = \d+;$/;
const STATUS_LINE = /HTTP\/\d(?:\.\d)? [45]\d\d/;
const STATUS_TEXT = /status\w*['"]?\s*[:=]+\s*['"`][45]\d\d/i;

function literalStatuses(source: string): string[] {
  const code = source.replace(COMMENT, (comment) => comment.replaceAll(/[^\n]/g, ''));
  const numbers = code
    .replace(STRING, "''")
    .replace(TEMPLATE, (template) => (template.match(/\$\{[^}]*\}/g) ?? []).join(' '))
    .split('\n')
    .filter((line) => !NAMED.test(line) && (line.match(NUMBER) ?? []).some((number) => STATUSES.has(number)));
  const texts = code.split('\n').filter((line) => STATUS_LINE.test(line) || STATUS_TEXT.test(line));
  return [...numbers, ...texts].map((line) => line.trim());
}

const CODE = new RegExp(`\\bcode: ['"\`](${Object.keys(FAILURES).join('|')})['"\`]`);
const TYPED = /: Failure = \{|\bas Failure\b|satisfies Failure\b/;

function failuresByHand(source: string): string[] {
  const lines = source.replace(COMMENT, '').split('\n');
  return lines.filter((line) => CODE.test(line) || TYPED.test(line)).map((line) => line.trim());
}

test.each(files)('%s has no literal status and makes no failure by hand', (file) => {
  const source = readFileSync(join(ROOT, file), 'utf8');
  expect(literalStatuses(source)).toEqual([]);
  expect(failuresByHand(source)).toEqual([]);
});

test('behind an agent’s tools no failure asks for a repeat, and its words say why', () => {
  const why = "The agent's tools have run in this turn: the same request would run them again.";
  const lost = failure('process_lost', undefined);
  expect([lost.mayRepeat, lost.message]).toEqual([true, expect.stringContaining('Try your request again.')]);
  expect(behindTools(lost)).toEqual({
    ...lost,
    mayRepeat: false,
    message: `The \`claude\` process ended in the middle of the turn (exit code unknown). ${why}`,
  });
  expect(behindTools({ ...lost, message: 'busy' }).message).toBe(`busy. ${why}`);
});

describe('the rule finds', () => {
  test.each([
    'return new Response(body, { status: 400 });',
    'if (error.status === 429) retry();',
    'response.writeHead(503, headers);',
    'return context.json(body, 404);',
    'const NOT_FOUND_STATUS = 404;',
    'const BUSY = new Set([429, 529]);',
    'case 413:',
    "socket.end('HTTP/1.1 431 Request Header Fields Too Large\\r\\n');",
    "const status = '400';",
    'log(`answered $' + '{gone ? 499 : other}`);',
    'x = isUrl // a comment, 400\n  ? 401 : 0;',
  ])('%s', (source) => {
    expect(literalStatuses(source)).toHaveLength(1);
  });

  test.each([
    "return { code: 'internal', status, type, message };",
    'const gone: Failure = {',
    'return found as Failure;',
  ])('%s', (source) => {
    expect(failuresByHand(source)).toHaveLength(1);
  });
});

describe('the rule lets pass', () => {
  test.each([
    'outgoing.writeHead(200, headers);',
    'const LONGEST = 500;',
    'const LIMIT_MS = 400;',
    'setTimeout(end, 400_000);',
    "const port = url.startsWith('https:') ? 443 : 80;",
    "note: 'turns every ignored field into a 400',",
    '/** A 404 of the API. */',
    'wait(); // then a 529',
    '`HTTP/1.1 $' + '{status} $' + '{STATUS_CODES[status]}`,',
    'const half = 0.500;',
  ])('%s', (source) => {
    expect(literalStatuses(source)).toEqual([]);
  });
});
