import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Rule } from './script.ts';
import { ScriptedModel } from './server.ts';

const USAGE = `Usage: isthmus-scripted-model [--port PORT] [--script FILE]

A stand-in for the Messages API on 127.0.0.1. FILE holds {"rules": [{"when": {...}, "replies": [{...}]}]}; without a
matching rule the answer repeats the newest user text. GET /requests returns what was received.`;

/** Runs the scripted model as a program until it is stopped. */
export async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { port: { type: 'string' }, script: { type: 'string' }, help: { type: 'boolean' } },
  });
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const script = values.script ? (JSON.parse(readFileSync(values.script, 'utf8')) as { rules: Rule[] }).rules : [];
  const model = await ScriptedModel.start({
    port: Number(values.port ?? 0),
    script,
    onRequest: ({ path, body }) => process.stderr.write(`${path} ${body.model} ${body.messages.length} messages\n`),
  });
  process.stdout.write(`The scripted model listens on ${model.url}\n`);
}
