import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelRequest, Reply } from '../../scripted-model/script.ts';
import type { RecordedRequest, ScriptedModel } from '../../scripted-model/server.ts';
import { BootError } from '../boot/boot-error.ts';
import { createGateway, type GatewayOptions, type RunningGateway } from '../boot/create-gateway.ts';
import type { ContentBlock, JsonObject } from '../spec/messages.ts';
import { print } from './print.ts';

const TASK = 'The test of sum.js fails. Mend it.';
const FOLLOW_UP = 'What did the line say before?';

const BUGGY = 'export function sum(a, b) {\n  return a - b;\n}\n';
const TEST =
  "import { sum } from './sum.js';\nif (sum(2, 3) !== 5) throw new Error('2 and 3 are 5');\nconsole.log('passed');\n";

/** The agent's workspace, and what the model of its walk answers. */
interface Scene {
  workspace: string;
  level: 'edit' | 'shell';
}

/**
 * Lets an agent mend a bug, and asks it about that after a restart of the gateway: it still knows what it has read.
 *
 * @param options of the gateways; the same home, so that the second one finds what the first has kept
 * @returns whether every turn was right
 */
export async function agentWalk(options: GatewayOptions, model: ScriptedModel, folder: string): Promise<boolean> {
  const workspace = join(realpathSync(folder), 'workspace');
  mkdirSync(workspace);
  writeFileSync(join(workspace, 'package.json'), '{"type": "module"}\n');
  writeFileSync(join(workspace, 'sum.js'), BUGGY);
  writeFileSync(join(workspace, 'sum.test.js'), TEST);
  const { gateway, level, why } = await withSandbox(options, workspace);
  model.use([answerOf({ workspace, level })]);
  print(['', `An agent of the level ${level} in ${workspace}${why ? ` (${why})` : ''}`]);
  const task = { role: 'user', content: TASK };
  const first = await ask(gateway, [task]);
  for (const line of stepLines(first.steps)) print([line]);
  print([`  It says: ${first.text}`]);
  const isMended = readFileSync(join(workspace, 'sum.js'), 'utf8').includes('a + b');
  await gateway.stop(0);

  const second = await createGateway({ ...options, agents: definitionOf({ workspace, level }) });
  const asked = model.requests.length;
  const answer = { role: 'assistant', content: first.content };
  const next = await ask(second, [task, answer, { role: 'user', content: FOLLOW_UP }]);
  print(['The gateway was started anew, and only the visible messages were sent to it.', `  It says: ${next.text}`]);
  await second.stop(0);
  const knows = readOf(model.requests.slice(asked)).includes('return a - b');
  const isRight = isMended && knows && first.status === 200 && next.status === 200;
  print([
    isRight ? 'The bug is mended, and the agent still knows what it has read.' : 'WRONG: the agent did not do that.',
  ]);
  return isRight;
}

/** A gateway whose agent runs commands, where their sandbox works. */
async function withSandbox(options: GatewayOptions, workspace: string) {
  const open = (level: Scene['level']) => createGateway({ ...options, agents: definitionOf({ workspace, level }) });
  try {
    return { gateway: await open('shell'), level: 'shell' as const };
  } catch (error) {
    if (!(error instanceof BootError)) throw error;
    return {
      gateway: await open('edit'),
      level: 'edit' as const,
      why: 'it would run the test in a sandbox, which needs bubblewrap and socat',
    };
  }
}

function definitionOf({ workspace, level }: Scene): NonNullable<GatewayOptions['agents']> {
  return { mechanic: { level, workspace, system: 'You mend programs.' } };
}

/** What the model does next, by what it has seen in this conversation. */
function answerOf({ workspace, level }: Scene): (request: ModelRequest) => Reply | undefined {
  const file = join(workspace, 'sum.js');
  const call = (name: string, input: JsonObject): Reply => ({ content: [{ type: 'tool_use', name, input }] });
  const say = (text: string): Reply => ({ content: [{ type: 'text', text }] });
  const steps = [
    call('Grep', { pattern: 'sum', path: workspace, output_mode: 'files_with_matches' }),
    call('Read', { file_path: file }),
    call('Edit', { file_path: file, old_string: 'a - b', new_string: 'a + b' }),
    ...(level === 'shell' ? [call('Bash', { command: 'node sum.test.js', description: 'Run the test' })] : []),
    say(`sum.js subtracted where it should add. I have mended it${level === 'shell' ? ', and its test passes' : ''}.`),
  ];
  return ({ messages }) => {
    const said = JSON.stringify(messages);
    if (said.includes(FOLLOW_UP)) {
      return say(said.includes('return a - b') ? 'It said `return a - b;`.' : 'I do not know: I have not read it.');
    }
    if (!said.includes(TASK)) return undefined;
    const done = messages.filter(({ role }) => role === 'assistant').length;
    return steps[Math.min(done, steps.length - 1)];
  };
}

/** The model's view of the conversation, as text. */
function readOf(requests: readonly RecordedRequest[]): string {
  return JSON.stringify(requests.map(({ body }) => body.messages));
}

interface Answer {
  status: number;
  content: ContentBlock[];
  text: string;
  steps: Array<{ tool: string; about: string; is_error: boolean }>;
}

async function ask({ url }: Pick<RunningGateway, 'url'>, messages: object[]): Promise<Answer> {
  const headers = { 'content-type': 'application/json', 'isthmus-agent': 'mechanic' };
  const response = await fetch(`${url}/v1/messages`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ model: 'claude-sonnet-5', max_tokens: 1000, messages }),
  });
  const body = (await response.json()) as { content?: ContentBlock[]; error?: { message: string } };
  const told = await fetch(`${url}/v1/agents/turns/${response.headers.get('request-id')}`, { headers });
  const { steps = [] } = (await told.json()) as Partial<Pick<Answer, 'steps'>>;
  const content = body.content ?? [];
  const text = body.error?.message ?? content.map((block) => String(block.text ?? '')).join('');
  return { status: response.status, content, text, steps };
}

function stepLines(steps: Answer['steps']): string[] {
  return steps.map(
    ({ tool, about, is_error }) => `  → ${tool.padEnd(5)} ${about}${is_error ? '   refused or failed' : ''}`,
  );
}
