import { checkAgents } from './agents-setting.ts';
import { SETTINGS } from './setting-table.ts';
import { camelCase, type Settings, unknownSetting, validate } from './settings.ts';
import { similar } from './similar.ts';

/**
 * Validates settings that a program gives, by their names in camel case; an undefined one has its default.
 *
 * @throws SettingsError
 */
export function checkSettings(given: Readonly<Record<string, unknown>>): Settings {
  const keys = new Map(Object.keys(SETTINGS).map((key) => [camelCase(key), key]));
  const byKey: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    const key = keys.get(name);
    if (key === undefined) throw unknownSetting(name, similar(name, [...keys.keys()]));
    if (value !== undefined) byKey[key] = value;
  }
  const name = (path: string) => path.replace(/^[^.]*/, (key) => camelCase(key));
  return validate([{ origin: 'file', given: byKey, name, isStructured: true }], checkAgents).settings;
}
