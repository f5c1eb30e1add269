import { similar } from '../config/similar.ts';
import { CommandError } from './command-error.ts';
import { type CommandName, commandOf } from './command-table.ts';

/**
 * The word behind a command that takes exactly one of those in its row of the table.
 *
 * @throws CommandError
 */
export function chooseWord(command: CommandName, words: readonly string[]): string {
  const choices = commandOf(command)?.words ?? [];
  const [word, ...others] = words;
  const all = choices.map((choice) => `\`isthmus ${command} ${choice}\``).join(', ');
  if (word === undefined) throw new CommandError(`\`isthmus ${command}\` needs one word more: ${all}.`);
  if (!choices.includes(word)) {
    const meant = similar(word, choices);
    throw new CommandError(
      `There is no \`isthmus ${command} ${word}\`${meant ? `. Did you mean ${meant}?` : `; there are ${all}.`}`,
    );
  }
  if (others.length > 0)
    throw new CommandError(`Unexpected ${others.map((other) => JSON.stringify(other)).join(' ')}.`);
  return word;
}
