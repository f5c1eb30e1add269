import type { Settings } from '../config/settings.ts';
export async function demo(_settings: Settings, _environment: NodeJS.ProcessEnv, _once: boolean): Promise<void> {}
