import { escapeUnseen } from '../telemetry/escape-unseen.ts';
import type { Finding, Level } from './finding.ts';

/** How a report is shown. */
export interface Look {
  hasColours: boolean;
  /** Characters of a line; undefined where nothing is to be broken. */
  width?: number | undefined;
}

/** What stands for each level, and its colour in a terminal. */
const MARKS: Readonly<Record<Level, [mark: string, colour: number]>> = {
  ok: ['ok', 32],
  note: ['note', 36],
  warning: ['warning', 33],
  problem: ['PROBLEM', 31],
};

const MARK_WIDTH = 8;
const CHECK_WIDTH = 16;
/** A narrower text is not broken. */
const LEAST_ROOM = 15;
const INDENT = MARK_WIDTH + CHECK_WIDTH;

/** A finding as lines for people: its mark, its check, what it says, and the cure behind an arrow. */
export function linesOf({ check, level, says, cure }: Finding, { hasColours, width }: Look): string[] {
  const [mark, colour] = MARKS[level];
  const painted = hasColours ? `\x1b[${colour}m${mark}\x1b[0m` : mark;
  const room = width === undefined ? undefined : width - INDENT;
  const [first = '', ...more] = broken(escapeUnseen(says), room);
  const cures = cure === undefined ? [] : broken(escapeUnseen(cure), room && room - 2);
  const indent = ' '.repeat(INDENT);
  return [
    `${painted}${' '.repeat(MARK_WIDTH - mark.length)}${check.padEnd(CHECK_WIDTH)}${first}`,
    ...more.map((line) => `${indent}${line}`),
    ...cures.map((line, at) => `${indent}${at === 0 ? '→' : ' '} ${line}`),
  ];
}

/** How many of what is wrong there is, in one line. */
export function summaryOf(findings: readonly Finding[]): string {
  const counted = (['problem', 'warning'] as const).flatMap((level) => {
    const found = findings.filter((finding) => finding.level === level).length;
    return found === 0 ? [] : [`${found} ${level}${found === 1 ? '' : 's'}`];
  });
  return counted.length === 0 ? 'Nothing stands in the way.' : `${counted.join(', ')}.`;
}

/** Breaks a text between words. A word that is longer than a line, such as a path, stays whole. */
function broken(text: string, width: number | undefined): string[] {
  if (width === undefined || width < LEAST_ROOM) return [text];
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
