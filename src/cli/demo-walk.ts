import type { Reply } from '../../scripted-model/script.ts';
import type { RecordedRequest, ScriptedModel } from '../../scripted-model/server.ts';
import type { RunningGateway } from '../boot/create-gateway.ts';
import type { ContentBlock, JsonObject } from '../spec/messages.ts';
import { print } from './print.ts';

type WalkedGateway = Pick<RunningGateway, 'url' | 'mode'>;

const QUESTION = 'What does notes.txt say?';
const EDITED_QUESTION = 'And what does plan.txt say?';

/** What the model of the walk answers. */
export const answerOfWalk = (request: { messages: Array<{ content: unknown }> }): Reply | undefined => {
  const newest = JSON.stringify(request.messages.at(-1)?.content);
  if (newest.includes('tool_result')) return { content: [{ type: 'text', text: 'It says: buy milk.' }] };
  if (!newest.includes('.txt say?')) return undefined;
  const path = newest.includes('plan.txt') ? 'plan.txt' : 'notes.txt';
  return {
    content: [
      { type: 'text', text: 'Let me look.' },
      { type: 'tool_use', name: 'read_file', input: { path } },
    ],
  };
};

const TOOL = {
  name: 'read_file',
  description: 'Reads a file.',
  input_schema: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
};

interface Message {
  role: 'user' | 'assistant';
  content: string | ContentBlock[];
}

/** One turn of the demo: what the client sends, and what must come of it. */
interface Step {
  what: string;
  messages: Message[];
  path: 'start' | 'continue' | 'rewind' | 'replay';
  /** Whether the answer calls the client's tool. */
  callsTool: boolean;
}

/**
 * Takes the demo's turns and prints which way each took.
 *
 * @param model with {@link answerOfWalk} as its script
 * @returns whether every turn was right
 */
export async function walk(gateway: WalkedGateway, model: ScriptedModel): Promise<boolean> {
  print(['Turn                                             path      to the model   whole turn   model calls']);
  await gatewayReady(gateway);
  let isRight = true;
  let history: Message[] = [];
  const take = async (step: Step) => {
    const turn = await send(gateway, model, step.messages);
    const problems = findProblems(step, turn);
    isRight &&= problems.length === 0;
    print([
      [
        step.what.padEnd(48),
        turn.path.padEnd(9),
        `${Math.round(turn.toModelMs)} ms`.padStart(12),
        `${Math.round(turn.totalMs)} ms`.padStart(12),
        String(turn.requests.length).padStart(13),
        problems.length === 0 ? '' : `   WRONG: ${problems.join('; ')}`,
      ].join(' '),
    ]);
    history = [...step.messages, { role: 'assistant', content: turn.content }];
  };
  const question: Message = { role: 'user', content: QUESTION };
  await take({
    what: 'A question; the model calls the client’s tool',
    messages: [question],
    path: 'start',
    callsTool: true,
  });
  await take({
    what: 'The client brings the tool’s result',
    messages: [...history, toolResult(history)],
    path: 'continue',
    callsTool: false,
  });
  await take({
    what: 'A follow-up',
    messages: [...history, { role: 'user', content: 'Thank you.' }],
    path: 'continue',
    callsTool: false,
  });
  const undone = history.slice(0, 4);
  await take({
    what: 'Undo, and another question in its place',
    messages: [...undone, { role: 'user', content: EDITED_QUESTION }],
    path: 'rewind',
    callsTool: true,
  });
  await take({
    what: 'The tool’s result',
    messages: [...history, toolResult(history)],
    path: 'continue',
    callsTool: false,
  });
  // It begins with other words than what a process here holds, so that none is rewound for it.
  const elsewhere: Message[] = [
    { role: 'user', content: 'Hello.' },
    { role: 'assistant', content: 'Hello. What can I do?' },
    ...history.map((message) => ({ ...message, content: renamed(message.content) })),
  ];
  await take({
    what: 'A conversation from elsewhere, never seen here',
    messages: [...elsewhere, { role: 'user', content: 'Go on.' }],
    path: 'replay',
    callsTool: false,
  });
  print([
    isRight
      ? 'Every turn took its path, called the model once, and showed it exactly the client’s messages.'
      : 'Something went wrong.',
  ]);
  return isRight;
}

interface Turn {
  status: number;
  path: string;
  content: ContentBlock[];
  sent: Message[];
  requests: RecordedRequest[];
  toModelMs: number;
  totalMs: number;
}

async function send(gateway: WalkedGateway, model: ScriptedModel, messages: Message[]): Promise<Turn> {
  const before = model.requests.length;
  const startedAt = performance.now();
  const response = await fetch(`${gateway.url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': 'demo' },
    body: JSON.stringify({ model: 'claude-sonnet-5', max_tokens: 1000, system: 'You help.', tools: [TOOL], messages }),
  });
  const body = (await response.json()) as JsonObject;
  const requests = model.requests.slice(before);
  return {
    status: response.status,
    path: response.headers.get('isthmus-path') ?? '',
    content: (body.content ?? []) as ContentBlock[],
    sent: messages,
    requests,
    toModelMs: (requests[0]?.arrivedAt ?? Number.NaN) - startedAt,
    totalMs: performance.now() - startedAt,
  };
}

function findProblems(step: Step, turn: Turn): string[] {
  const problems: string[] = [];
  if (turn.status !== 200) problems.push(`status ${turn.status}`);
  if (turn.path !== step.path) problems.push(`expected the path ${step.path}`);
  if (turn.requests.length !== 1) problems.push('expected one model call');
  if (turn.content.some((block) => block.type === 'tool_use') !== step.callsTool) problems.push('another answer');
  if (comparable(turn.requests[0]?.body.messages ?? []) !== comparable(turn.sent))
    problems.push('the model saw other messages');
  return problems;
}

/** What the model sees of messages, as text: a string is one text block, and cache breakpoints do not count. */
function comparable(messages: ReadonlyArray<{ role: string; content: unknown }>): string {
  const blocks = (content: unknown): unknown =>
    typeof content === 'string' ? [{ type: 'text', text: content }] : content;
  return JSON.stringify(
    messages.map(({ role, content }) => ({
      role,
      content: (blocks(content) as JsonObject[]).map(({ cache_control: _, ...block }) =>
        Object.entries('content' in block ? { ...block, content: blocks(block.content) } : block).sort(),
      ),
    })),
  );
}

function toolResult(history: Message[]): Message {
  const answered = history.at(-1)?.content;
  const call = Array.isArray(answered) ? answered.find((block) => block.type === 'tool_use') : undefined;
  return { role: 'user', content: [{ type: 'tool_result', tool_use_id: String(call?.id), content: 'buy milk' }] };
}

/** The same content under tool_use ids that no server here has issued. */
function renamed(content: string | ContentBlock[]): string | ContentBlock[] {
  if (typeof content === 'string') return content;
  return content.map((block) => ({
    ...block,
    ...(typeof block.id === 'string' ? { id: `elsewhere_${block.id}` } : {}),
    ...(typeof block.tool_use_id === 'string' ? { tool_use_id: `elsewhere_${block.tool_use_id}` } : {}),
  }));
}

/** Waits for what the walk's turns need: that processes can be used again, and a spare where the first turn can claim one. */
async function gatewayReady({ url, mode }: WalkedGateway): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const health = (await (await fetch(`${url}/health`)).json()) as Health;
    if (health.reuse.state === 'on' && (mode === 'full' || health.processes.spare > 0)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

interface Health {
  reuse: { state: string };
  processes: { spare: number };
}
