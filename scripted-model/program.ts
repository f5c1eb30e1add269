import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Rule } from './script.ts';
import { ScriptedModel } from './server.ts';

const USAGE = `Usage: isthmus-scripted-model [--port PORT] [--script FILE]

A stand-in for the Messages API on 127.0.0.1. FILE holds {"rules": [{"when": {...}, "replies": [{...}]}]}; without a
matching rule the answer repeats the newest user text. GET /requests returns what was received.`;

/** A problem that its user can cure; the message is one line that says how. */
class UsageError extends Error {}

/** Runs the scripted model as a program until it is stopped; an expected problem is one line on stderr and exit code 1. */
export async function main(args: readonly string[]): Promise<void> {
  try {
    await run(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`isthmus-scripted-model: ${error.message}\n`);
    process.exitCode = 1;
  }
}

async function run(args: readonly string[]): Promise<void> {
  const { port, script, help } = readFlags(args);
  if (help) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const model = await ScriptedModel.start({
    port,
    script: script === undefined ? [] : readScript(script),
    onRequest: ({ path, body }) => process.stderr.write(`${path} ${body.model} ${body.messages.length} messages\n`),
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    throw new UsageError(
      `Port ${port} is in use. Stop what listens there, or choose another port: --port ${port + 1}.`,
    );
  });
  process.stdout.write(`The scripted model listens on ${model.url}\n`);
}

function readFlags(args: readonly string[]): { port: number; script?: string; help: boolean } {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        port: { type: 'string', short: 'p', default: '0' },
        script: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    const port = Number(values.port);
    if (!Number.isInteger(port) || port < 0 || port > 65_535) {
      throw new Error(`--port must be a whole number up to 65535 (it is ${JSON.stringify(values.port)})`);
    }
    return { ...values, port };
  } catch (error) {
    throw new UsageError(`${(error as Error).message}; see --help.`);
  }
}

function readScript(path: string): Rule[] {
  try {
    return (JSON.parse(readFileSync(path, 'utf8')) as { rules: Rule[] }).rules;
  } catch (error) {
    throw new UsageError(`The script ${path} cannot be read as JSON: ${(error as Error).message}.`);
  }
}
