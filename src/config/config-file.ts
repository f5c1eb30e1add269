import { readFileSync } from 'node:fs';
import { getNodeValue, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import { SettingsError } from './settings-error.ts';

/**
 * Reads a configuration file: JSON that may have comments and trailing commas.
 *
 * @param isNamed whether the operator named it; another one need not be there
 * @returns its keys as they stand in it; undefined if it need not be there and is not
 * @throws SettingsError which names the line of what is wrong
 */
export function readConfigFile(path: string, isNamed: boolean): Record<string, unknown> | undefined {
  let text: string;
  try {
    // Some editors write a byte order mark, which JSON does not have.
    text = readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw new SettingsError(`The configuration file ${path} cannot be read: ${(error as Error).message}`);
    }
    if (!isNamed) return undefined;
    throw new SettingsError(`There is no configuration file ${path}. Name one that exists: --config FILE.`);
  }
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { allowTrailingComma: true });
  const [broken] = errors;
  if (broken) {
    throw new SettingsError(
      `The configuration file ${path} cannot be read as JSON: ${inWords(broken)} at ${placeOf(text, broken.offset)}.`,
    );
  }
  if (tree?.type !== 'object') {
    throw new SettingsError(`The configuration file ${path} must hold a JSON object, for example {"port": 3456}.`);
  }
  const repeated = repeatedKey(tree);
  if (repeated) {
    throw new SettingsError(
      `The configuration file ${path} has the key ${JSON.stringify(repeated.value)} twice, the second time at ${placeOf(text, repeated.offset)}. Leave one of them out.`,
    );
  }
  return getNodeValue(tree);
}

/** `CloseBraceExpected` as `close brace expected`. */
function inWords({ error }: ParseError): string {
  return printParseErrorCode(error)
    .replaceAll(/(?<!^)([A-Z])/g, ' $1')
    .toLowerCase();
}

function placeOf(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}

/** The second of two keys of one name in one object. */
function repeatedKey(node: Node): Node | undefined {
  const seen = new Set<string>();
  for (const child of node.children ?? []) {
    const [key, value] = child.type === 'property' ? (child.children ?? []) : [];
    if (node.type === 'object' && key) {
      if (seen.has(key.value)) return key;
      seen.add(key.value);
    }
    const within = repeatedKey(value ?? child);
    if (within) return within;
  }
  return undefined;
}
