import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { query, type SDKUserMessage } from '@anthropic-ai/claude-agent-sdk';
import { EventQueue } from '../../async/event-queue.ts';
import { within } from '../../async/within.ts';
import type { Message } from '../../spec/messages.ts';
import { type Environment, ledTo, neutralEnvironment } from '../environment/environment.ts';
import { ToolNames } from '../parameters/tool-names.ts';
import type { ProcessMaker } from '../process/process-maker.ts';
import { toTranscript } from '../replay/transcript.ts';
import { type Announcement, announcementsIn } from './announcement.ts';
import type { Probe } from './announcements.ts';

/** How long a probe may take, in milliseconds. */
const PROBE_MS = 30_000;

const WORD: Message = { role: 'user', content: [{ type: 'text', text: 'x' }] };
const DUMMY_TOKEN = 'sk-ant-oat01-probe-of-isthmus';

/**
 * Makes probes: a process replays one word, and all that it sends ends unread at a port of ours. It announces the same as any
 * process for that model, with a dummy token and an empty configuration; only a login's own announcement needs the login.
 */
export function probeBy(maker: ProcessMaker): Probe {
  return async (model, ofLogin) => {
    const server = createServer((socket) => socket.destroy());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      return await announcementsOf(maker, model, ofLogin, url);
    } finally {
      server.close();
    }
  };
}

async function announcementsOf(
  maker: ProcessMaker,
  model: string,
  ofLogin: boolean,
  url: string,
): Promise<Announcement[]> {
  const { variables } = maker.environment;
  const base: Environment = ofLogin
    ? variables
    : { ...neutralEnvironment(variables), CLAUDE_CODE_OAUTH_TOKEN: DUMMY_TOKEN };
  const made = maker.create({ environment: { ...base, ...ledTo(url) } });
  const profile = maker.profile(made);
  const transcript = toTranscript([WORD], model, profile.workingDirectory, new ToolNames([]));
  const found: Announcement[] = [];
  let tellLast: () => void = () => undefined;
  const last = new Promise<void>((resolve) => {
    tellLast = resolve;
  });
  const options = maker.options(made, {
    ...profile,
    environment: {
      ...profile.environment,
      ...(ofLogin ? {} : { CLAUDE_CONFIG_DIR: join(made.files.folder, 'configuration') }),
      CLAUDE_CODE_RESUME_INTERRUPTED_TURN: '1',
    },
    session: {
      resumes: transcript.sessionId,
      store: {
        append: async (_key, entries) => {
          found.push(...announcementsIn(entries));
          // It comes last, with all others in one batch.
          if (found.some(({ type }) => type === 'date')) tellLast();
        },
        load: async () => transcript.entries,
      },
    },
  });
  const sdkQuery = query({ prompt: new EventQueue<SDKUserMessage>(), options: { ...options, model } });
  try {
    await within(Promise.race([last, untilOver(sdkQuery)]), PROBE_MS);
    return found;
  } finally {
    made.child.end();
    sdkQuery.close();
  }
}

/** @throws Error when the process ends by itself */
async function untilOver(messages: AsyncIterator<unknown>): Promise<never> {
  for (;;) {
    const { done } = await messages.next();
    if (done) throw new Error('the process ended before it announced anything');
  }
}
