import { existsSync } from 'node:fs';
import { type Change, type Done, placeOf, UneditableText } from './change.ts';
import { maskedDiff } from './masked-diff.ts';
import { pointedAt } from './pointed-at.ts';
import { asBytes, readSettingsFile, refuseChanged, replaceFile, type SettingsFile, textOf } from './settings-file.ts';
import { SetupError } from './setup-error.ts';
import { digestOf, type SetupRecord, SetupRecords } from './setup-record.ts';
import { type ClientFile, clientFileOf, type EditableFile } from './setup-table.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** What a command would do to a client's file. Nothing is written until it is carried out. */
export interface Plan {
  path: string;
  /** What a user should know before, one line each: what is done, and what stays. */
  words: string[];
  /** The difference, without secrets; empty if the file stays as it is. */
  diff: string[];
  /**
   * @returns what was done, one line each
   * @throws SetupError if the file has been changed meanwhile, or cannot be written
   */
  carryOut(): string[];
}

/**
 * Points a client at a gateway.
 *
 * @param url of the gateway, without a path
 * @throws SetupError
 */
export function planSetup(client: ClientFile, url: string, environment: Variables): Plan {
  if (client.whyByHand || client.printed) {
    throw new SetupError(
      `${client.title} is set up by hand: ${client.whyByHand}. \`isthmus setup ${client.name} --print\` says what to put where.`,
    );
  }
  const records = new SetupRecords(environment);
  const file = readSettingsFile(fileOf(client, environment));
  if (file.bytes && edited(client, file, url).done.length === 0) {
    const words = [
      `${client.title} is set up already: ${file.path} points at ${url}.`,
      ...(client.hindrances?.(textOf(file)) ?? []),
    ];
    return { path: file.path, words, diff: [], carryOut: () => [] };
  }
  const record = records.find(client.name, file.path);
  const { bytes: before } = record ? withoutOurs(client, file, record) : file;
  const { text, done } = edited(client, { ...file, bytes: before }, url);
  const after = asBytes(text, { ...file, bytes: before });
  return {
    path: file.path,
    words: [
      ...(before ? [] : [`${file.path} is a new file.`]),
      ...(client.whenReplaced && done.some(({ before: replaced }) => replaced !== undefined)
        ? [client.whenReplaced]
        : []),
      ...(client.hindrances?.(text) ?? []),
    ],
    diff: differences(client, file, after, [...client.changes(url), ...done, ...(record?.done ?? [])]),
    carryOut: () =>
      records.alone(client.name, file.path, () => {
        // Another setup may have come first since: its record is not to be lost.
        refuseChanged(file);
        const present = records.find(client.name, file.path);
        const copy = records.keep(client.name, { path: file.path, before, digest: digestOf(after), done });
        try {
          replaceFile(file, after);
        } catch (error) {
          if (present) records.keep(client.name, present);
          else records.remove(client.name, file.path);
          throw error;
        }
        return [
          `${client.title} is set up: ${file.path} points at ${url}.`,
          ...(copy ? [`The file as it was is kept in ${copy}.`] : []),
          ...(client.notes ?? []),
          `\`isthmus setup ${client.name} --undo\` takes it back.`,
        ];
      }),
  };
}

/**
 * Takes back what setup has done to a client's file.
 *
 * @throws SetupError
 */
export function planUndo(client: ClientFile, environment: Variables): Plan {
  const records = new SetupRecords(environment);
  const found = filesOf(client, environment)
    .map(readSettingsFile)
    .flatMap((file) => {
      const record = records.find(client.name, file.path);
      return record ? [{ file, record }] : [];
    })
    .at(-1);
  if (client.printed || !found) {
    throw new SetupError(
      `There is nothing to undo: \`isthmus setup ${client.name}\` has not changed ${fileOf(client, environment)}.`,
    );
  }
  const { file, record } = found;
  const { bytes: after, left } = withoutOurs(client, file, record);
  const isExact = file.bytes !== undefined && digestOf(file.bytes) === record.digest;
  const isSame = after === undefined ? file.bytes === undefined : file.bytes?.equals(after);
  return {
    path: file.path,
    words: [
      ...(isExact || isSame
        ? []
        : [`${file.path} was changed since, so only what setup has written is taken out of it.`]),
      ...left.map((one) => `${placeOf(one)} was changed since, and stays.`),
    ],
    diff: isSame ? [] : differences(client, file, after, record.done),
    carryOut() {
      records.alone(client.name, file.path, () => {
        refuseChanged(file);
        if (!isSame) replaceFile(file, after);
        records.remove(client.name, file.path);
      });
      if (file.bytes === undefined) return [`${file.path} is gone, so there is nothing left to undo.`];
      return [
        after === undefined
          ? `${file.path} is removed, since setup had made it.`
          : isExact || isSame
            ? `${file.path} is what it was before.`
            : `${client.title} is no longer set up in ${file.path}.`,
      ];
    },
  };
}

/**
 * Whether a client's own file points it at a gateway, by whomever: everything that setup would write for that address is there.
 *
 * @param name as a user types it
 * @returns undefined for a client that setup does not write for
 */
export function isSetUp(name: string, environment: Variables): boolean | undefined {
  const client = clientFileOf(name);
  if (!client || client.whyByHand || client.printed) return undefined;
  try {
    const file = readSettingsFile(fileOf(client, environment));
    if (!file.bytes) return false;
    const text = textOf(file);
    return pointedAt(client, text).some(({ url }) => client.format.edit(text, client.changes(url)).done.length === 0);
  } catch (error) {
    // What cannot be read is no settings of the client's either.
    if (error instanceof SetupError || error instanceof UneditableText) return false;
    throw error;
  }
}

/** What a user puts into which file by hand. */
export function printedSetup(client: ClientFile, url: string, environment: Variables): { path: string; text: string } {
  return {
    path: fileOf(client, environment),
    text: client.printed ? client.printed(url) : client.format.edit('', client.changes(url)).text,
  };
}

/** Of the files that a client reads, the one that wins; the one to be made if there is none. */
function fileOf(client: ClientFile, environment: Variables): string {
  const { all, made } = client.files(environment);
  return all.findLast((path) => existsSync(path)) ?? made;
}

function filesOf(client: ClientFile, environment: Variables): string[] {
  const { all, made } = client.files(environment);
  return [...new Set([...all, made])];
}

function edited(client: EditableFile, file: SettingsFile, url: string) {
  return toldWithLine(file, () => client.format.edit(textOf(file), client.changes(url)));
}

/** The file as it would be without what setup has written. */
function withoutOurs(
  client: EditableFile,
  file: SettingsFile,
  record: SetupRecord,
): { bytes: Buffer | undefined; left: Done[] } {
  if (file.bytes === undefined) return { bytes: undefined, left: [] };
  const { before } = record;
  // The latter where somebody has put it back, or setup was killed between the record and the file.
  if (digestOf(file.bytes) === record.digest || before?.equals(file.bytes)) return { bytes: before, left: [] };
  const { text, left } = toldWithLine(file, () => client.format.revert(textOf(file), record.done));
  if (before === undefined && client.format.isEmpty(text)) return { bytes: undefined, left };
  return { bytes: asBytes(text, file), left };
}

function toldWithLine<Result>({ path }: SettingsFile, act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof UneditableText)) throw error;
    throw new SetupError(
      `${path}:${error.line} ${error.message}; nothing was changed. Mend that line, or take \`--print\`.`,
    );
  }
}

/** @param changes what is made, and what is taken back */
function differences(
  { format }: EditableFile,
  file: SettingsFile,
  after: Buffer | undefined,
  changes: ReadonlyArray<Change | Done>,
): string[] {
  return maskedDiff(file.path, format, textOf(file), textOf({ ...file, bytes: after }), {
    ours: changes.map((change) => (change.kind === 'value' ? change.value : change.item)),
    replaced: changes.flatMap((change) => ('before' in change && change.before !== undefined ? [change.before] : [])),
  });
}
