/** Controls, line ends, marks of direction, and whatever else is not seen but changes how a line looks. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** A text with each character that a terminal would obey or hide written as `\uXXXX`, as JSON writes it. */
export function escapeUnseen(text: string): string {
  return text.replace(UNSEEN, (character) => character.split('').map(escaped).join(''));
}

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
