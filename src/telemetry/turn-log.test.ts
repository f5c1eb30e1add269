import { expect, test } from 'vitest';
import type { TurnRecord } from '../spec/turn-record.ts';
import { createLog } from './log.ts';
import { turnLog } from './turn-log.ts';

function lineOf(record: TurnRecord): string {
  const lines: string[] = [];
  turnLog(createLog((line) => lines.push(line)))(record);
  expect(lines).toHaveLength(1);
  return lines.join('').replace(/^\S+ /, '');
}

const who = { requestId: 'req_1', caller: 'abc', client: 'opencode/1.2', session: 'ses 1' };

test('a complete turn', () => {
  const line = lineOf({
    who: { ...who, conversation: 'Ab_3-xyz0123', user: 'somebody' },
    what: {
      dialect: 'anthropic-messages',
      model: 'claude-sonnet-5',
      stream: true,
      messages: 3,
      tools: 10,
      bodyBytes: 40_000,
      parameters: ['max_tokens', 'thinking'],
    },
    how: {
      path: 'replay',
      process: 'used',
      reason: 'the tools have changed',
      times: { whole: 1_234.5, queue: 0.2, spawn: 90, load: 12.4, firstEvent: 800.4, own: 0.8125, engine: 1_230 },
    },
    came: {
      outcome: 'complete',
      stopReason: 'tool_use',
      usage: { input_tokens: 3, cache_read_input_tokens: 1_000, cache_creation_input_tokens: null, output_tokens: 20 },
      plan: { status: 'allowed_warning', utilization: { five_hour: 0.9, seven_day: 0.25 }, isOverageInUse: true },
    },
  });
  expect(line).toBe(
    'turn request=req_1 session="ses 1" conversation=Ab_3-xyz0123 model=claude-sonnet-5 messages=3 stream=true ' +
      'user=somebody path=replay process=used ' +
      'reason="the tools have changed" outcome=complete ms=1235 caller=abc client=opencode/1.2 ' +
      'dialect=anthropic-messages tools=10 parameters="max_tokens,thinking" bytes=40000 queue=0 spawn=90 load=12 first=800 engine=1230 own=0.81 stop=tool_use ' +
      'in=1003 out=20 plan=allowed_warning five_hour=0.9 seven_day=0.25 overage=true\n',
  );
});

test('a failure has its words, a lost process its end, and both stay one line', () => {
  const failed = (failure: TurnRecord['came']['failure']) =>
    lineOf({
      who,
      how: { times: { whole: 5, own: 5 } },
      came: { outcome: 'process_lost', ...(failure && { failure }) },
    });
  const type = 'api_error';
  expect(failed({ status: 400, type, words: 'model: two\nlines' })).toContain(
    'outcome=process_lost status=400 ms=5 caller=abc client=opencode/1.2 own=5 words="model: two\\nlines"\n',
  );
  const process = { code: null, signal: 'SIGKILL', stderr: 'last\nwords' };
  expect(failed({ status: 500, type, words: 'long', process })).toContain('own=5 exit=SIGKILL stderr="last\\nwords"\n');
  const refused = { code: 3, signal: null, stderr: '' };
  expect(failed({ status: 500, type, words: 'long', process: refused })).toMatch(/own=5 exit=3\n$/);
});

test.each<[TurnRecord['came'], string]>([
  [{ outcome: 'complete' }, 'info'],
  [{ outcome: 'client_gone', failure: { status: 499, type: 'api_error', words: '' } }, 'info'],
  [{ outcome: 'overloaded', failure: { status: 529, type: 'overloaded_error', words: '' } }, 'warn'],
])('a turn that came to %j has the level %s', (came, expected) => {
  const levels: unknown[] = [];
  turnLog((_event, _fields, level) => levels.push(level))({ who, how: { times: { whole: 1, own: 1 } }, came });
  expect(levels).toEqual([expected]);
});
