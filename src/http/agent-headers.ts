import type { OpenAgentTurn } from '../gateway/gateway.ts';
import type { HiddenSteps } from '../spec/turn-events.ts';
import { headerList } from './header-list.ts';

/** What tells the conversation. A client that sends it back is never taken for another with the same words. */
export function sessionHeaders({ session, isGuessed }: OpenAgentTurn): Record<string, string> {
  return {
    'isthmus-session': session,
    'x-claude-session-id': session,
    ...(isGuessed && { 'isthmus-session-guessed': '1' }),
  };
}

/** The headers that say what an agent did, for an answer in one piece. */
export function stepHeaders({ steps: { steps, changedFiles }, isKept = false }: HiddenSteps): Record<string, string> {
  return {
    'isthmus-agent-steps': String(steps.length),
    ...(changedFiles.length > 0 && { 'isthmus-agent-changed-files': headerList(changedFiles) }),
    ...(!isKept && { 'isthmus-agent-steps-lost': '1' }),
  };
}
