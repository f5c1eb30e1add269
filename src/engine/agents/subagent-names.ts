/** Words that models put behind a name. */
const SUFFIX = /[\s_-]*(sub)?agent$/;

/** What models call an agent that others call otherwise. */
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  general: ['generalpurpose', 'default'],
  generalpurpose: ['general', 'default'],
  explore: ['explorer', 'search', 'codesearch'],
  plan: ['planner', 'architect'],
};

/** What some put between a name and what it stands for: `Metis - Plan Consultant`, `Metis (Plan Consultant)`. */
const TITLE = /\s+[-(].*$/;

/**
 * The declared name that a model means by another spelling: in other case, with other separators, with `-agent` behind it, without
 * the title that it has, or by an alias.
 *
 * @returns the name itself if it is declared; undefined if none is meant
 */
export function declaredName(asked: string, declared: readonly string[]): string | undefined {
  if (declared.includes(asked)) return asked;
  const wanted = plain(asked);
  return (
    declared.find((name) => plain(name) === wanted) ??
    declared.find((name) => plain(name.replace(TITLE, '')) === wanted) ??
    declared.find((name) => ALIASES[plain(name)]?.includes(wanted) ?? false)
  );
}

function plain(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replace(SUFFIX, '')
    .replaceAll(/[^\p{L}\p{N}]/gu, '');
}
