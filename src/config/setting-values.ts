import { isIP } from 'node:net';
import { SETTINGS, type Setting, type SettingName } from './setting-table.ts';

/** A value in the form in which the program uses it; or what is wrong with it, beginning with a verb: "must be a number". */
export type Checked<Value = unknown> = { value: Value } | { problem: string };

/**
 * Checks the value of a setting that is no more than text, numbers and lists of text. It loads no library, as each command starts
 * with it.
 *
 * @param given from a flag, a variable or the file; undefined for the default
 */
export function settingValue(name: Exclude<SettingName, 'agents'>, given: unknown): Checked {
  const row: Exclude<Setting, { kind: 'agents' }> = SETTINGS[name];
  switch (row.kind) {
    case 'integer':
    case 'number':
      return given === undefined ? { value: row.default } : numberOf(given, row);
    case 'choice':
      if (given === undefined) return { value: row.default };
      return row.of.includes(given as string) ? { value: given } : { problem: `must be ${inWords(row.of)}` };
    case 'text':
    case 'address':
      if (given === undefined) return { value: row.default };
      if (typeof given !== 'string') return { problem: 'must be text' };
      if (given === '') return { problem: 'must not be empty' };
      return row.kind === 'text' ? { value: given } : addressOf(given);
    case 'toggle':
      return toggleOf(given ?? false);
    case 'hosts':
      return listOf(
        given ?? [],
        (host) => HOST.test(host),
        'must be host names without ports, with commas between them',
      );
    case 'origins':
      return listOf(given ?? [], isOrigin, ORIGINS);
    case 'aliases':
      return aliasesOf(given ?? {});
  }
}

const HOST = /^[a-z0-9._-]+$/;
const ORIGINS =
  'must be origins of web pages with commas between them, such as https://chat.example or http://localhost:5173; SCHEME://* stands for all of a scheme other than http and https';
const MODEL = /^[!-~]{1,256}$/;
const ALIASES = 'must be names of models, such as gpt-5=claude-sonnet-5, with commas between them';

/** A number, or text with a number; not `null`, a list or blank text. */
function numberOf(
  given: unknown,
  { kind, least, most }: { kind: 'integer' | 'number'; least: number; most: number },
): Checked {
  const number = typeof given === 'string' && given.trim() !== '' ? Number(given) : given;
  if (typeof number !== 'number' || Number.isNaN(number)) return { problem: 'must be a number' };
  if (number < least) return { problem: `must be at least ${least}` };
  if (number > most) return { problem: `must be at most ${most}` };
  return kind === 'integer' && !Number.isInteger(number) ? { problem: 'must be a whole number' } : { value: number };
}

/** An IP address, in brackets or not, or a name. */
function addressOf(given: string): Checked {
  const bare = given.replace(/^\[(.*)\]$/, '$1');
  // A zone, such as `fe80::1%eth0`, is a part of an address.
  const isAddress = isIP(bare.replace(/%[\w.-]+$/, '')) > 0 || (bare === given && HOST.test(given.toLowerCase()));
  return isAddress ? { value: bare } : { problem: 'must be an address or a name of this machine, such as 127.0.0.1' };
}

const WORDS: Readonly<Record<string, boolean>> = {
  true: true,
  1: true,
  yes: true,
  on: true,
  false: false,
  0: false,
  no: false,
  off: false,
};

function toggleOf(given: unknown): Checked {
  if (typeof given === 'boolean') return { value: given };
  const word = typeof given === 'string' ? given.toLowerCase() : '';
  return Object.hasOwn(WORDS, word) ? { value: WORDS[word] } : { problem: 'must be true or false' };
}

/** Text with commas between its parts, or a list. */
function listOf(given: unknown, isRight: (item: string) => boolean, problem: string): Checked {
  const items: unknown = typeof given === 'string' ? given.split(',') : given;
  if (!Array.isArray(items) || !items.every((item) => typeof item === 'string')) return { problem };
  const value = items.map((item) => item.trim().toLowerCase());
  return value.every(isRight) ? { value } : { problem };
}

function aliasesOf(given: unknown): Checked {
  if (typeof given === 'string') return aliasesOf(Object.fromEntries(given.split(',').map(splitAtEqual)));
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return { problem: ALIASES };
  const isRight = ([name, model]: [string, unknown]) =>
    MODEL.test(name) && typeof model === 'string' && MODEL.test(model);
  return Object.entries(given).every(isRight) ? { value: { ...given } } : { problem: ALIASES };
}

/** @returns name and model; an empty model where there is no equals sign */
function splitAtEqual(pair: string): [name: string, model: string] {
  const [name = '', ...model] = pair.trim().split('=');
  return [name, model.join('=')];
}

/** Of a web scheme as browsers write it, without a default port; other schemes have none that a URL would tell. */
function isOrigin(given: string): boolean {
  if (/^https?:/.test(given)) return !given.includes('*') && URL.canParse(given) && new URL(given).origin === given;
  return /^[a-z][a-z0-9+.-]*:\/\/(\*|[a-z0-9._-]+(:\d+)?)$/.test(given);
}

/** `read, edit or shell`. */
function inWords(choices: readonly string[]): string {
  return `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`;
}
