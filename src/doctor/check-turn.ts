import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ScriptedModel } from '../../scripted-model/server.ts';
import { BootError } from '../boot/boot-error.ts';
import { createGateway } from '../boot/create-gateway.ts';
import { type Finding, findingsOf, type Surroundings } from './finding.ts';

/** How a turn over the scripted model went. */
export type SeenTurn =
  | { kind: 'answered'; status: number; words: string; modelCalls: number; ms: number }
  | { kind: 'not booted'; problem: string };

const { ok, problem } = findingsOf('turn');

const QUESTION = 'Are you there?';
const ANSWER = 'I am here.';

export function turnFindings(seen: SeenTurn): Finding[] {
  const cure = 'Run `isthmus demo --once`, which says more, and report it with its output.';
  if (seen.kind === 'not booted') return [problem(`No gateway starts here over the scripted model: ${seen.problem}`)];
  const { status, words, modelCalls, ms } = seen;
  if (status !== 200)
    return [problem(`A free turn over the scripted model failed with HTTP ${status}: ${words}`, cure)];
  if (words !== ANSWER || modelCalls !== 1) {
    return [problem(`A free turn over the scripted model brought another answer, by ${modelCalls} model calls.`, cure)];
  }
  return [
    ok(
      `A free turn went through gateway, SDK and claude to the scripted model and back, ${Math.round(ms)} ms with the start.`,
    ),
  ];
}

/** Takes one turn with the real gateway, SDK and binary. Its environment is built from nothing, with a dummy key. */
export async function checkTurn({ settings, operator }: Surroundings): Promise<Finding[]> {
  const startedAt = performance.now();
  const home = mkdtempSync(join(tmpdir(), 'isthmus-doctor-'));
  const model = await ScriptedModel.start({ script: [() => ({ content: [{ type: 'text', text: ANSWER }] })] });
  try {
    const gateway = await createGateway({
      claude: settings.claude,
      port: 0,
      spares: 0,
      environment: {
        PATH: operator.PATH,
        HOME: home,
        ANTHROPIC_API_KEY: 'the-doctor-uses-no-account',
        ANTHROPIC_BASE_URL: model.url,
      },
    });
    const answer = await ask(gateway.url);
    await gateway.stop(0);
    const ms = performance.now() - startedAt;
    return turnFindings({ kind: 'answered', ...answer, modelCalls: model.requests.length, ms });
  } catch (error) {
    if (!(error instanceof BootError)) throw error;
    return turnFindings({ kind: 'not booted', problem: error.message });
  } finally {
    await model.close();
    rmSync(home, { recursive: true, force: true });
  }
}

async function ask(url: string): Promise<{ status: number; words: string }> {
  const response = await fetch(`${url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'claude-sonnet-5',
      max_tokens: 100,
      messages: [{ role: 'user', content: QUESTION }],
    }),
  });
  const body = (await response.json()) as { content?: Array<{ text?: string }>; error?: { message: string } };
  return {
    status: response.status,
    words: body.error?.message ?? (body.content ?? []).map(({ text }) => text).join(''),
  };
}
