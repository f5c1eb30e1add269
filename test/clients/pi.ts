import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ClientRun, type Files, Project } from './project.ts';

/** A repository in which pi runs. */
export class PiProject extends Project {
  /** @param url what pi is told to be the Messages API */
  constructor(url: string, files: Files) {
    super('pi', files);
    const folder = join(this.home, '.pi', 'agent');
    mkdirSync(folder, { recursive: true });
    const models = { providers: { anthropic: { baseUrl: url, apiKey: 'dummy' } } };
    writeFileSync(join(folder, 'models.json'), JSON.stringify(models));
  }

  /** Runs `pi -p` with these arguments. */
  run(...args: string[]): Promise<ClientRun> {
    return this.#runPi(['-p', ...args]);
  }

  #runPi(args: string[]): Promise<ClientRun> {
    const { ISTHMUS_CLIENTS_NODE_22: node, ISTHMUS_CLIENTS_PI: folder } = process.env;
    if (!node || !folder) throw new Error('Run these checks with `npm run test:clients`, which installs pi first.');
    const program = join(folder, 'node_modules', '@earendil-works', 'pi-coding-agent', 'dist', 'bundle', 'cli.js');
    const model = ['--provider', 'anthropic', '--model', 'claude-sonnet-4-5'];
    return this.runProgram(node, [program, ...model, ...args], { PI_OFFLINE: '1' });
  }
}
