import type { CheckedDefinition } from '../config/agent-definition.ts';
import { type Settings, standardConfigFile, type TracedSetting, traceSettings } from '../config/settings.ts';
import { escapeUnseen } from '../telemetry/escape-unseen.ts';
import { chooseWord } from './choose-word.ts';
import type { RunCommand } from './command.ts';
import { print } from './print.ts';
import { table } from './text-table.ts';

/** `isthmus config`: what the settings are, where each comes from, and whether they are right. */
export const run: RunCommand = async ({ words, flags, environment }) => {
  const word = chooseWord('config', words);
  const { settings, traced, file } = await traceSettings({ flags, environment });
  const source = file === undefined ? `There is no file ${standardConfigFile()}` : `The file is ${file}`;
  if (word === 'show') {
    print([`${source}.`, '', ...table([['setting', 'value', 'from'], ...traced.map(rowOf)])]);
    return;
  }
  const agents = await checkedAgents(settings, environment, file);
  const given = traced.filter(({ from }) => from !== 'default').length;
  print([`The settings are right: ${given} given, ${traced.length - given} by default; agents: ${agents}. ${source}.`]);
};

/**
 * Checks agents against this machine, as at the start of `serve`. What that takes is loaded where there are some.
 *
 * @returns how many there are
 */
async function checkedAgents(
  settings: Settings,
  environment: NodeJS.ProcessEnv,
  file: string | undefined,
): Promise<number> {
  const { agents, agentLevel, workspace, claude = process.execPath } = settings;
  if (Object.keys(agents).length === 0 && agentLevel === undefined && workspace === undefined) return 0;
  const { agentsOf } = await import('../boot/own-agents.ts');
  return agentsOf(settings, environment, claude, file).length;
}

/** A value from a variable stands by the variable's name: it may be a secret. Of agents no more than level and folder is shown. */
function rowOf({ name, value, from, reference }: TracedSetting): string[] {
  return [name, reference ?? shown(name, value), from].map(escapeUnseen);
}

function shown(name: TracedSetting['name'], value: unknown): string {
  if (name === 'agents') {
    const agents = Object.entries(value as Record<string, CheckedDefinition>);
    return agents.map(([agent, { level, workspace }]) => `${agent}: ${level} in ${workspace}`).join(', ') || '-';
  }
  if (name === 'model-alias')
    return (
      Object.entries(value as object)
        .map((pair) => pair.join('='))
        .join(', ') || '-'
    );
  return String(value ?? '') || '-';
}
