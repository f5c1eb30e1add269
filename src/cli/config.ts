import { agentsOf } from '../boot/own-agents.ts';
import type { CheckedDefinition } from '../config/agent-definition.ts';
import { standardConfigFile, type TracedSetting, traceSettings } from '../config/settings.ts';
import { escapeUnseen } from '../telemetry/escape-unseen.ts';
import { chooseWord } from './choose-word.ts';
import type { RunCommand } from './command.ts';
import { print } from './print.ts';
import { table } from './text-table.ts';

/** `isthmus config`: what the settings are, where each comes from, and whether they are right. */
export const run: RunCommand = async ({ words, flags, environment }) => {
  const word = chooseWord('config', words);
  const { settings, traced, file } = traceSettings({ flags, environment });
  const source = file === undefined ? `There is no file ${standardConfigFile()}` : `The file is ${file}`;
  if (word === 'show') {
    print([`${source}.`, '', ...table([['setting', 'value', 'from'], ...traced.map(rowOf)])]);
    return;
  }
  // Agents are checked against this machine, as at the start of `serve`.
  const agents = agentsOf(settings, environment, settings.claude ?? process.execPath, file);
  const given = traced.filter(({ from }) => from !== 'default').length;
  print([
    `The settings are right: ${given} given, ${traced.length - given} by default; agents: ${agents.length}. ${source}.`,
  ]);
};

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
