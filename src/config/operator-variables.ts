import { SettingsError } from './settings-error.ts';

/** `$NAME` alone, or `${NAME}` anywhere. */
const REFERENCE = /^\$([A-Za-z_]\w*)$|\$\{([A-Za-z_]\w*)\}/g;

/**
 * Puts the operator's variables into a value of the configuration, so that the file itself holds no secret: `"$DOCS_KEY"`,
 * `"Bearer ${DOCS_TOKEN}"`.
 *
 * @param path of the value, for the error
 * @throws SettingsError for a variable that is not set
 */
export function withVariables(
  value: string,
  path: string,
  variables: Readonly<Record<string, string | undefined>>,
): string {
  return value.replaceAll(REFERENCE, (_, alone: string | undefined, within: string | undefined) => {
    const name = alone ?? within ?? '';
    const found = variables[name];
    if (found) return found;
    throw new SettingsError(`${path} is the variable ${name}, which is not set. Set it in the environment of Isthmus.`);
  });
}
