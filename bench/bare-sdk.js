// @ts-check
import { deepStrictEqual } from 'node:assert';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { query } from '@anthropic-ai/claude-agent-sdk';
import { EventQueue } from '../dist/src/async/event-queue.js';
import { agentEnvironment } from '../dist/src/engine/agents/agent-environment.js';
import { ClaudeEngine } from '../dist/src/engine/claude-engine.js';
import { buildEnvironment, inFolder } from '../dist/src/engine/environment/environment.js';
import { findExecutable } from '../dist/src/engine/environment/executable.js';
import { createRunDirectory } from '../dist/src/engine/files/run-directory.js';
import { CLIENT_TOOLS_SERVERS } from '../dist/src/engine/held-calls/client-tools-server.js';
import { Child } from '../dist/src/engine/process/child.js';
import { Spawner } from '../dist/src/engine/process/spawner.js';
import { processesWith } from './process-list.js';
import { createSurroundings } from './surroundings.js';

/** @typedef {import('@anthropic-ai/claude-agent-sdk').Options} SdkOptions */

/** As the engine has them; see `src/engine/environment/flag-settings.ts`. */
const SETTINGS = { attribution: { commit: '', pr: '' }, env: {} };

/**
 * The Agent SDK without the gateway, with the settings that the engine has. Its processes take turns without what only the
 * gateway needs: a session store, the announcement of long waits, and in full mode the silence of Claude Code's reminders.
 */
export class BareSdk {
  #surroundings;
  #directory;
  #environment;
  #settings;
  #executable = findExecutable(undefined);
  #spawner;
  /** Turns that were sent to its processes. */
  turns = 0;

  /**
   * @param {string} modelUrl
   * @param {import('./surroundings.js').Mode} mode of Claude Code
   */
  constructor(modelUrl, mode) {
    this.#surroundings = createSurroundings(modelUrl, mode);
    const operator = this.#surroundings.env;
    this.#directory = createRunDirectory();
    this.#settings = join(this.#directory.path, 'settings.json');
    writeFileSync(this.#settings, JSON.stringify(SETTINGS));
    this.#spawner = new Spawner(operator.PATH);
    this.#environment = buildEnvironment({
      operator,
      id: 'bench',
      isOwnAddress: () => false,
    });
  }

  /**
   * The options of a process that keeps nothing on disk.
   *
   * @param {Child} child
   * @param {{ spawn: Spawner['spawn'] }} [spawner]
   * @returns {SdkOptions}
   */
  options(child, spawner = this.#spawner) {
    return {
      pathToClaudeCodeExecutable: this.#executable.path,
      env: inFolder(this.#environment.variables, this.#directory.temporary),
      cwd: this.#directory.work,
      settings: this.#settings,
      settingSources: [],
      strictMcpConfig: true,
      tools: [],
      verbatimPrompts: true,
      permissionMode: 'dontAsk',
      allowedTools: CLIENT_TOOLS_SERVERS.map((name) => `mcp__${name}`),
      includePartialMessages: true,
      thinking: { type: 'disabled' },
      systemPrompt: '',
      extraArgs: { 'system-prompt': '' },
      persistSession: false,
      spawnClaudeCodeProcess: (spawnOptions) => {
        const spawned = spawner.spawn(spawnOptions);
        child.adopt(spawned);
        return spawned;
      },
    };
  }

  /**
   * What a process of an agent is spawned with: the same program in the same environment as the gateway's.
   *
   * @param {number} maxSeconds of a turn
   * @returns {Pick<SdkOptions, 'pathToClaudeCodeExecutable' | 'env'>}
   */
  forAgents(maxSeconds) {
    const variables = agentEnvironment(this.#environment.variables, { maxSeconds });
    return { pathToClaudeCodeExecutable: this.#executable.path, env: inFolder(variables, this.#directory.temporary) };
  }

  /**
   * Makes sure that both sides run the same command line in the same environment: a comparison of anything else would
   * say nothing. It also brings the binary into the page cache before the first sample.
   *
   * @throws when the engine spawns its processes differently
   */
  async assertSameAsEngine() {
    /** @type {object[]} */
    const seen = [];
    /** @type {any} */
    const spawner = {
      spawn: (/** @type {import('@anthropic-ai/claude-agent-sdk').SpawnOptions} */ options) => {
        const { command, args, cwd, env } = options;
        // Each process of the engine has a folder of its own, with its settings.
        seen.push({
          command,
          args: args.map((arg, at) => (args[at - 1] === '--settings' ? JSON.parse(readFileSync(arg, 'utf8')) : arg)),
          cwd,
          env: inFolder(/** @type {Record<string, string>} */ (env), 'its folder'),
        });
        return this.#spawner.spawn(options);
      },
    };
    const engine = new ClaudeEngine({
      executable: this.#executable,
      environment: this.#environment,
      directory: this.#directory,
      spawner,
      stallMs: 60_000,
      retries: 'client',
      log: () => undefined,
      onLimits: () => undefined,
      onModel: () => undefined,
    });
    await engine.introduction();
    const child = new Child();
    const bare = query({ prompt: new EventQueue(), options: this.options(child, spawner) });
    await bare.accountInfo().finally(() => {
      child.end();
      bare.close();
    });
    await Promise.all([engine.allGone(), child.gone]);
    deepStrictEqual(seen[1], seen[0], 'bench/bare-sdk.js starts `claude` otherwise than the engine does');
  }

  /** Its processes that live. @returns {number[]} */
  processes() {
    return processesWith(`HOME=${this.#surroundings.env.HOME}`);
  }

  remove() {
    this.#directory.remove();
    this.#surroundings.remove();
  }
}
