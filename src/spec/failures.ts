/**
 * Every way in which a request can fail: the one table of status, type, words and retry advice. {@link failure} makes failures
 * from it; `docs/errors.md` and `GET /v1/capabilities` show it.
 */
import type { JsonObject } from './messages.ts';
import type { PlanLimits } from './plan-limits.ts';
import type { ProcessEnd } from './process-end.ts';

/**
 * Ends the message of a failure that passes by itself. Inside a stream there is no status: OpenCode, for one, repeats the
 * request because of these words.
 */
const TRY_AGAIN = 'Try your request again.';

/** Of an error that quotes what the client sent, in characters. */
const LONGEST_MESSAGE = 1_000;

/** The longest wait that a client may sleep through by itself: some sleep for any `retry-after`, for days. */
const LONG_WAIT_SECONDS = 300;

/** The longest wait for the turns under way when Isthmus is stopped; most end sooner. */
const LONGEST_STOP_WAIT_SECONDS = 60;

/** How many models one error names, and how many more fields after the first. */
const MOST_NAMED = 20;

/** What a failure says beside its code. */
interface Words {
  message: string;
  /** The field that is wrong, by its path in the client's own body. */
  path?: string;
  isUnsupported?: true;
  /** Status and type of an upstream's failure; for others the table has them. */
  status?: number;
  type?: string;
  requestId?: string;
  retryAfterSeconds?: number;
  mayRepeat?: boolean;
  isUnpaid?: true;
  details?: JsonObject;
  process?: ProcessEnd;
}

/** What is wrong with a request. */
interface BadRequest extends Pick<Words, 'details' | 'isUnsupported'> {
  path: string;
  problem: string;
}

interface FailureRow {
  /** The HTTP status before the first byte of an answer; later the failure is an error event. `upstream`: the API's own. */
  status: number | 'upstream';
  /** The API's `error.type`. */
  type: string;
  /** Seconds after which to send the request again, as `retry-after`. */
  retryAfterSeconds?: number;
  /** Whether the same request, sent again soon, can succeed, as `x-should-retry`; absent where nobody can tell. */
  mayRepeat?: boolean;
  /** For an operator or a client's author; `docs/errors.md` shows both. */
  cause: string;
  cure: string;
  /** The words for people, made from the facts of one failure. */
  // biome-ignore lint/suspicious/noExplicitAny: each row has facts of its own, and `failure` infers them
  words: (facts: any) => Words;
}

/** What a cut is told as. Claude Code's own words do not go out: they may name the upstream's host. */
const CUTS = {
  stream: 'The stream from the model ended before its answer was complete.',
  connection: "The connection to the model's API was lost.",
  answer: "What came from the model's API was no whole answer.",
} as const;

/** A code is stable: programs may act on it. */
export const FAILURES = {
  bad_request: {
    status: 400,
    type: 'invalid_request_error',
    mayRepeat: false,
    cause: 'The request is wrong, or holds what the SDK cannot carry. No process was spawned.',
    cure: 'The message begins with the path of the field and says what is expected.',
    words: ({ path, problem, ...more }: BadRequest) => ({
      message: inOneLine(path ? `${path}: ${problem}` : problem),
      ...(path && { path }),
      ...more,
    }),
  },
  field_ignored: {
    status: 400,
    type: 'invalid_request_error',
    mayRepeat: false,
    cause: 'Isthmus would ignore a field, and `--strict` or `isthmus-strict: 1` forbids that.',
    cure: 'Leave the field out, or ask without strictness and read `isthmus-ignored`.',
    words: ({ ignored }: { ignored: readonly string[] }) => {
      const [first, ...more] = new Set(ignored);
      const named = more.slice(0, MOST_NAMED).join(', ');
      const unnamed = more.length > MOST_NAMED ? `, and ${more.length - MOST_NAMED} more` : '';
      const others = more.length > 0 ? ` (nor ${named}${unnamed})` : '';
      return {
        ...(first !== undefined && { path: first }),
        message: `${first}: would be ignored, and strict mode allows that for no field${others}; leave it out, or ask without \`isthmus-strict\``,
      };
    },
  },
  model_not_mapped: {
    status: 404,
    type: 'not_found_error',
    mayRepeat: false,
    cause: 'A client asks for a model of OpenAI by its name, and no `--model-alias` says which model that stands for.',
    cure: 'Let the client ask for a model of `GET /v1/models`, or map the name: `--model-alias gpt-5=claude-sonnet-5`.',
    words: ({ model, models }: { model: string; models: readonly string[] }) => ({
      message: `The model ${JSON.stringify(model.slice(0, 100))} is OpenAI's. Ask for one of GET /v1/models (${models.slice(0, MOST_NAMED).join(', ')}), or map its name where Isthmus runs: --model-alias ${model.slice(0, 100)}=claude-sonnet-5 (docs/openai.md#model-aliases).`,
      path: 'model',
    }),
  },
  not_kept: {
    status: 400,
    type: 'invalid_request_error',
    mayRepeat: false,
    cause:
      'A client of OpenAI’s responses refers to an earlier answer, or to an item of it, that is not kept: it was last asked for more than an hour ago, was pushed out by others, belongs to another key, or Isthmus has been started again.',
    cure: 'Let the client send its whole input: many do with `store: false`.',
    words: ({ path, what }: { path: string; what: string }) => ({
      message: `${inOneLine(what).slice(0, 200)} not found. An answer is kept for an hour after it was last asked for; send the whole input, as clients do with \`store: false\`.`,
      path,
    }),
  },
  not_found: {
    status: 404,
    type: 'not_found_error',
    mayRepeat: false,
    cause: 'There is no such path, or what it names is not kept.',
    cure: 'The message says what there is.',
    words: (message: string) => ({ message }),
  },
  model_not_known: {
    status: 404,
    type: 'not_found_error',
    mayRepeat: false,
    cause: '`GET /v1/models/{id}` names a model that Claude Code does not list, and that the API counts no tokens for.',
    cure: 'Name one of `GET /v1/models`.',
    words: ({ model, listed }: { model: string; listed: readonly string[] }) => ({
      message: `model: ${JSON.stringify(model.slice(0, 100))} is not known to Claude Code, and the API counts no tokens for it. Claude Code lists ${listed.join(', ')}; others may still be asked for by their exact id.`,
      path: 'model',
    }),
  },
  agent_not_found: {
    status: 404,
    type: 'not_found_error',
    mayRepeat: false,
    cause:
      'No agent has the name that the request gives; or the one that has it answers others only: those that bring its key, or pages of its `origins`.',
    cure: 'See that the name is right, and that the client’s key is that of the agent. `GET /v1/models` lists the agents that a client may ask, `GET /health` all.',
    words: ({ name }: { name: string }) => ({
      message: `There is no agent ${JSON.stringify(name.slice(0, 100))} that this request may ask. See that the name is right, and that the client's key is that of the agent; GET /v1/models lists the agents that it may ask.`,
    }),
  },
  method_not_allowed: {
    status: 405,
    type: 'invalid_request_error',
    mayRepeat: false,
    cause: 'The path does not take this method.',
    cure: 'The header `allow` says which it takes.',
    words: ({ method, allowed }: { method: string; allowed: readonly string[] }) => ({
      message: `${method} is not allowed here; use ${allowed.join(' or ')}.`,
    }),
  },
  request_timeout: {
    status: 408,
    type: 'invalid_request_error',
    mayRepeat: true,
    cause: 'The headers of the request, or its body, were not complete in time.',
    cure: 'Send the whole request at once.',
    words: (late: 'headers' | { silentMs: number } | { totalMs: number }) => {
      if (late === 'headers') return { message: 'The headers did not come to their end.' };
      return {
        message:
          'silentMs' in late
            ? `Nothing more of the body came for ${late.silentMs / 1000} seconds.`
            : `The body did not come to its end within ${late.totalMs / 1000} seconds.`,
      };
    },
  },
  body_too_large: {
    status: 413,
    type: 'request_too_large',
    mayRepeat: false,
    cause: 'The body is larger than 32 MB, the API’s own limit.',
    cure: 'Leave out older images, or compact the conversation.',
    words: ({ megabytes }: { megabytes: number }) => ({ message: `The body is larger than ${megabytes} MB.` }),
  },
  unsupported_media_type: {
    status: 415,
    type: 'invalid_request_error',
    mayRepeat: false,
    cause: 'The body is not declared as JSON, or it is compressed.',
    cure: 'Send `content-type: application/json`, and no `content-encoding`.',
    words: (message: string) => ({ message }),
  },
  expectation_failed: {
    status: 417,
    type: 'invalid_request_error',
    mayRepeat: false,
    cause: 'The header `Expect` asks for something other than `100-continue`.',
    cure: 'Leave the header out.',
    words: ({ expect }: { expect: string }) => ({
      message: `The header Expect must be 100-continue, not ${JSON.stringify(expect)}; leave it out.`,
    }),
  },
  headers_too_large: {
    status: 431,
    type: 'invalid_request_error',
    mayRepeat: false,
    cause: 'The headers of the request are larger than 16 KB.',
    cure: 'Send fewer or shorter headers.',
    words: () => ({ message: 'The headers are larger than 16 KB.' }),
  },
  forbidden_host: {
    status: 403,
    type: 'permission_error',
    mayRepeat: false,
    cause:
      'The `Host` header is neither a loopback name, nor the address that Isthmus is bound to, nor one of `--allowed-hosts`.',
    cure: 'Use the address that Isthmus printed at its start, or name the other one in `--allowed-hosts`.',
    words: ({ host }: { host: string }) => ({
      message: `The Host header ${JSON.stringify(host)} is neither loopback nor the address that Isthmus listens on; start it with --allowed-hosts ${nameIn(host)} to be called by this name.`,
    }),
  },
  forbidden_origin: {
    status: 403,
    type: 'permission_error',
    mayRepeat: false,
    cause: 'A web page of another origin made the request.',
    cure: 'None for a page that you do not trust: it would spend the credential. Else name its origin in `--allowed-origins`; or an agent lists it in its `origins`, for requests below its path.',
    words: ({ origin }: { origin: string }) => ({
      message: `Web pages of another origin (${origin}) may not call Isthmus, unless it is started with --allowed-origins that name them.`,
    }),
  },
  request_loop: {
    status: 400,
    type: 'invalid_request_error',
    mayRepeat: false,
    cause: 'A request of Isthmus’s own came back to it: what its processes take for the model’s API leads to itself.',
    cure: 'Point `ANTHROPIC_BASE_URL`, or whatever leads the calls, at the model’s API. A chain of several Isthmus works, a ring does not.',
    words: () => ({
      message:
        'This request came from Isthmus itself: the address that it takes for the model’s API leads back to it. Point ANTHROPIC_BASE_URL, where Isthmus runs, at the model’s API.',
    }),
  },
  caller_at_limit: {
    status: 429,
    type: 'rate_limit_error',
    retryAfterSeconds: 1,
    mayRepeat: true,
    cause:
      'This caller has as many turns open as its limit allows. It does not happen yet: no setting limits a caller. A 429 of the model’s API is `upstream_error` or `plan_limit_reached`.',
    cure: 'Send it again after `retry-after` seconds, when one of the others has ended.',
    words: ({ turns }: { turns: number }) => ({
      message: `This caller may have ${turns} turns open at a time, and has them. Try again when one has ended.`,
    }),
  },
  overloaded: {
    status: 529,
    type: 'overloaded_error',
    retryAfterSeconds: 5,
    mayRepeat: true,
    cause: 'Every process is answering, and the queue is full, too slow or stands still.',
    cure: 'Send it again after `retry-after` seconds, when those in the queue have had their turn; raise `--max-processes`, `--max-memory-mb`, `--queue-length` or `--queue-seconds`.',
    words: ({ why, retryAfterSeconds }: { why: string; retryAfterSeconds?: number }) => ({
      message: `Isthmus is at its limit of processes and every one is answering: ${why}. Try again, or raise --max-processes or --max-memory-mb.`,
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds: Math.max(1, retryAfterSeconds) }),
    }),
  },
  intake_full: {
    status: 503,
    type: 'overloaded_error',
    retryAfterSeconds: 1,
    mayRepeat: true,
    cause: 'So many large bodies are being received that there is no room for more of this one.',
    cure: 'Send it again after `retry-after` seconds.',
    words: () => ({ message: 'Isthmus is receiving as many large bodies as it has room for. Try again in a moment.' }),
  },
  starting_up: {
    status: 503,
    type: 'overloaded_error',
    retryAfterSeconds: 1,
    mayRepeat: true,
    cause: 'Isthmus has its port and still asks Claude Code which credential pays.',
    cure: 'Send it again after `retry-after` seconds.',
    words: () => ({ message: 'Isthmus is starting and takes requests in a moment.' }),
  },
  shutting_down: {
    status: 503,
    type: 'overloaded_error',
    retryAfterSeconds: 1,
    mayRepeat: true,
    cause:
      'Isthmus is being stopped. Until the turns under way have ended it takes no others; a turn that does not end in time is cut off.',
    cure: 'Send it again after `retry-after` seconds: then the next Isthmus can be there.',
    words: ({ leftMs = 0 }: { leftMs?: number } = {}) => ({
      message: 'Isthmus is shutting down.',
      retryAfterSeconds: Math.min(LONGEST_STOP_WAIT_SECONDS, Math.max(1, Math.ceil(leftMs / 1000))),
    }),
  },
  upstream_error: {
    status: 'upstream',
    type: 'the upstream’s',
    cause: 'The model’s API answered with an error, before its answer or within it.',
    cure: 'As for the API itself; `retry-after` is set when Claude Code announced a wait of less than six hours.',
    words: (facts: {
      /** Absent for an error within a stream, which has a type alone. */
      status?: number | undefined;
      type?: string | undefined;
      /** The API's own words, if they are known. */
      message?: string | undefined;
      requestId?: string | undefined;
      retryAfterSeconds?: number | undefined;
      /** Set where nobody pays any more, whatever the status. */
      isUnpaid?: true | undefined;
      /** False if the API, or its long wait, says so; else the status says it. */
      mayRepeat?: false | undefined;
    }) => {
      const answered = facts.status ?? STATUS_OF_UPSTREAM_TYPE.get(facts.type ?? '') ?? INTERNAL_STATUS;
      const status = isErrorStatus(answered) ? answered : BAD_GATEWAY_STATUS;
      return {
        status,
        type: facts.type ?? TYPE_OF_UPSTREAM_STATUS.get(status) ?? 'api_error',
        message: isErrorStatus(answered)
          ? (facts.message ?? `The model's API answered ${answered}.`)
          : `The model's API answered ${answered} in place of an answer. See that its address is right where Isthmus runs.`,
        mayRepeat: facts.mayRepeat ?? isRepeatable(answered),
        ...(facts.requestId === undefined ? {} : { requestId: facts.requestId }),
        ...(facts.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: facts.retryAfterSeconds }),
        ...((facts.isUnpaid || status === UNPAID_STATUS) && { isUnpaid: true }),
      };
    },
  },
  plan_limit_reached: {
    status: 429,
    type: 'rate_limit_error',
    cause: 'A limit of the plan that pays is reached, and nothing pays beyond it.',
    cure: 'Send it again after `retry-after` seconds. The message says which limit it is and when it resets, `error.details` has both for programs, `GET /v1/usage` all limits.',
    words: ({ limits, requestId }: { limits: PlanLimits; requestId?: string | undefined }) => {
      const { claim = '', resetsAt, heardAt } = limits;
      const waitMs = resetsAt === undefined ? 0 : resetsAt - heardAt;
      return {
        message: planLimitSentence(limits),
        ...(requestId && { requestId }),
        mayRepeat: waitMs > 0,
        ...(waitMs > 0 && { retryAfterSeconds: Math.ceil(waitMs / 1000) }),
        details: {
          error_code: 'plan_limit_reached',
          limit: claim,
          resets_at: resetsAt === undefined ? null : toIso(resetsAt),
        },
      };
    },
  },
  upstream_cut: {
    status: 502,
    type: 'api_error',
    mayRepeat: true,
    cause: 'The connection to the model’s API was lost, or its stream ended before the answer was complete.',
    cure: 'Send it again; nothing of the conversation is lost.',
    words: ({ how }: { how: 'stream' | 'connection' | 'answer' }) => tryAgain(CUTS[how]),
  },
  upstream_stalled: {
    status: 504,
    type: 'timeout_error',
    mayRepeat: true,
    cause:
      'The model’s API was silent for minutes: six before its first byte, five within its stream, or `--stall-minutes` by any clock.',
    cure: 'Send it again.',
    words: ({ silentMs }: { silentMs: number }) =>
      tryAgain(`Nothing came from the model for ${Math.round(silentMs / 1000)} seconds.`),
  },
  refused_by_claude_code: {
    status: 400,
    type: 'invalid_request_error',
    mayRepeat: false,
    cause: 'Claude Code refused the request before it called the model, for example for an image that it cannot read.',
    cure: 'The message has Claude Code’s words.',
    words: (message: string | undefined) => ({
      message: message ?? 'Claude Code refused the request before it called the model.',
    }),
  },
  not_signed_in: {
    status: 401,
    type: 'authentication_error',
    mayRepeat: false,
    cause: 'Claude Code has no credential where Isthmus runs, or the credential has expired.',
    cure: 'Run `claude auth login` where Isthmus runs: it notices a login by itself. Or set a variable in its environment, and start it again.',
    words: () => ({
      message:
        'Claude Code is not signed in where Isthmus runs. Run `claude auth login` there, and send the request again. Or set ANTHROPIC_API_KEY or another credential in the environment of Isthmus, and start it again.',
    }),
  },
  process_spawn_failed: {
    status: 500,
    type: 'api_error',
    cause: 'The `claude` process could not be spawned, or ended before its first message.',
    cure: 'The message has the exit code or the signal, Isthmus’s log also the process’s last words; see that `claude --version` works for the same user.',
    words: (process: ProcessEnd | undefined) => ({
      message: `The \`claude\` process could not be started (${howItEnded(process)}). See that \`claude --version\` works for the user that runs Isthmus.${whereLastWordsAre(process)}`,
      ...(process && { process }),
    }),
  },
  claude_failing: {
    status: 503,
    type: 'api_error',
    mayRepeat: true,
    cause:
      'The last `claude` processes that were spawned ahead ended by themselves, at least three in a row. Isthmus tries again by itself, after 1 to 30 seconds. Conversations with a live process go on.',
    cure: 'The message has the exit code or the signal of the last one, Isthmus’s log also its last words. Mend the cause, or send it again after `retry-after` seconds.',
    words: ({ end, retrySeconds }: { end: ProcessEnd; retrySeconds: number }) => ({
      message: `The \`claude\` processes of Isthmus end by themselves as soon as they are started (${howItEnded(end)}). The next is tried in ${retrySeconds} s.${whereLastWordsAre(end)}`,
      retryAfterSeconds: retrySeconds,
      process: end,
    }),
  },
  files_not_written: {
    status: 500,
    type: 'api_error',
    mayRepeat: false,
    cause:
      'A new process reads its history, settings and system prompt from files. They could not be written, most often because the disk is full. Nothing reached the model.',
    cure: 'Make room in the folder that the message names, then send it again. Live conversations go on without files.',
    words: ({ folder, problem }: { folder: string; problem: string }) => ({
      message: `Isthmus could not write its files in ${folder} (${problem}). Make room there, then send the request again.`,
    }),
  },
  machine_at_limit: {
    status: 529,
    type: 'overloaded_error',
    retryAfterSeconds: 5,
    mayRepeat: true,
    cause:
      'Isthmus could not make a process, since it or its machine has as many open files or processes as a limit allows. It has ended one that waited, if there was one. Nothing reached the model.',
    cure: 'Send it again after `retry-after` seconds. Raise the limit that the message names, or lower `--max-processes`: a process takes a dozen open files.',
    words: ({ limit, problem }: { limit: string; problem: string }) => ({
      message: `Isthmus cannot make another process: ${limit} is reached (${problem}). Try again, raise that limit, or lower --max-processes.`,
    }),
  },
  process_lost: {
    status: 500,
    type: 'api_error',
    mayRepeat: true,
    cause: 'The `claude` process ended in the middle of the turn.',
    cure: 'Send it again: the next process gets the whole history. The message has the exit code or the signal, Isthmus’s log also the process’s last words; SIGKILL often means that the machine was out of memory.',
    words: (process: ProcessEnd | undefined) => ({
      ...tryAgain(
        `The \`claude\` process ended in the middle of the turn (${howItEnded(process)}).${whereLastWordsAre(process)}`,
      ),
      ...(process && { process }),
    }),
  },
  process_tools_missing: {
    status: 400,
    type: 'invalid_request_error',
    mayRepeat: false,
    cause: 'Claude Code began twice without some of the client’s tools.',
    cure: 'Give the tools that the message names other names.',
    words: ({ names }: { names: readonly string[] }) => ({
      message: `tools: Claude Code does not take tools with the names ${names.join(', ')}; give them other names.`,
    }),
  },
  agent_turn_running: {
    status: 409,
    type: 'invalid_request_error',
    mayRepeat: false,
    cause: 'The same turn of this conversation is under way, and its agent may do what cannot be done twice.',
    cure: 'Wait for the answer of the first request. To give it up, close its connection, then send it again.',
    words: ({ agent }: { agent: string }) => ({
      message: `The agent ${agent} is at work on this very turn; it does not run twice. Wait for its answer, or close that connection first.`,
    }),
  },
  agent_out_of_time: {
    status: 504,
    type: 'timeout_error',
    mayRepeat: false,
    cause: 'The time of an agent’s turn was over before its first answer of the model. Nothing was done.',
    cure: 'Send it again later, or give the agent more `maxSeconds`.',
    words: ({ seconds }: { seconds: number }) => ({
      message: `The model has not begun to answer within the ${seconds} seconds that the agent has for one turn. Send it again later.`,
    }),
  },
  workspace_moved: {
    status: 500,
    type: 'api_error',
    mayRepeat: false,
    cause:
      'The workspace of an agent is not the folder any more that it was at the start: it is gone, or a link leads elsewhere.',
    cure: 'Put the folder back, or start Isthmus again with the one that you mean.',
    words: ({ agent }: { agent: string }) => ({
      message: `The workspace of the agent ${agent} is not where it was when Isthmus started. Put the folder back, or start Isthmus again.`,
    }),
  },
  workspace_busy: {
    status: 529,
    type: 'overloaded_error',
    retryAfterSeconds: 10,
    mayRepeat: true,
    cause:
      'Another turn works in the same workspace, and did not end within `--queue-seconds`. Nothing reached the model.',
    cure: 'Send it again after `retry-after` seconds.',
    words: ({ agent, seconds }: { agent: string; seconds: number }) =>
      tryAgain(`The workspace of the agent ${agent} has been in use for ${seconds} seconds by another turn.`),
  },
  client_gone: {
    status: 499,
    type: 'api_error',
    cause: 'The client closed its connection; only the log shows this code.',
    cure: 'None.',
    words: () => ({ message: 'The client has gone.' }),
  },
  client_not_reading: {
    status: 499,
    type: 'api_error',
    cause:
      'The client left more than 8 MB of its answer unread. Isthmus closed its connection and ended the call of the model; only the log shows this code.',
    cure: 'Read an answer as it comes.',
    words: ({ megabytes }: { megabytes: number }) => ({
      message: `The client left more than ${megabytes} MB of its answer unread.`,
    }),
  },
  internal: {
    status: 500,
    type: 'api_error',
    cause: 'A defect of Isthmus.',
    cure: 'Report it with the log’s line of this request.',
    words: (error: unknown) => ({
      message: `Isthmus failed: ${error instanceof Error ? error.message : String(error)}`,
    }),
  },
} as const satisfies Record<string, FailureRow>;

export type FailureCode = keyof typeof FAILURES;

/** The table without its words, for `GET /v1/capabilities` and `docs/errors.md`. */
export const FAILURE_FACTS = Object.fromEntries(
  Object.entries<FailureRow>(FAILURES).map(([code, { status, type, mayRepeat, cause, cure }]) => [
    code,
    {
      status: status === 'upstream' ? 'the upstream’s' : String(status),
      type,
      repeat: mayRepeat === undefined ? 'it depends' : mayRepeat ? 'soon' : 'in vain',
      cause,
      cure,
    },
  ]),
);

/** The API's error type for a status, where the SDK tells only the status. */
const TYPE_OF_UPSTREAM_STATUS: ReadonlyMap<number, string> = new Map([
  [400, 'invalid_request_error'],
  [401, 'authentication_error'],
  [402, 'billing_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [413, 'request_too_large'],
  [429, 'rate_limit_error'],
  [504, 'timeout_error'],
  [529, 'overloaded_error'],
]);

/** The same backwards. */
const STATUS_OF_UPSTREAM_TYPE: ReadonlyMap<string, number> = new Map(
  [...TYPE_OF_UPSTREAM_STATUS].map(([status, type]) => [type, status]),
);
const UNPAID_STATUS = 402;
const INTERNAL_STATUS = 500;
const BAD_GATEWAY_STATUS = 502;

/** Whether the API may answer a failed call so; a redirect is no answer of its. */
function isErrorStatus(status: number): boolean {
  return status >= 400 && status < 600;
}

/** Whether a call with this status may be repeated after a wait, as the API's own SDKs do: it was too busy, or failed. */
export function isRepeatable(status: number): boolean {
  return REPEATABLE.has(status) || status >= 500;
}

const REPEATABLE: ReadonlySet<number> = new Set([408, 409, 429]);

/** Whether nobody would pay: there is no credential, or it was refused. */
export function isUnauthenticated({ type }: Failure): boolean {
  return type === FAILURES.not_signed_in.type;
}

/**
 * Everything that can go wrong in a turn, as data.
 *
 * `code` is stable and tells failures apart; `status` and `type` are what an Anthropic client sees. `message` is for people
 * and says the cure where there is one; no program may decide by its words.
 */
export interface Failure {
  code: FailureCode;
  /** HTTP status, if the failure comes before the first byte of the answer. */
  status: number;
  /** The API's `error.type`, such as `invalid_request_error`. */
  type: string;
  message: string;
  /** The field that is wrong, by its path in the client's own body. */
  path?: string;
  /** Set where the request is well formed, and asks for what is not here. */
  isUnsupported?: true;
  /** Set where nobody pays the model's API any more. */
  isUnpaid?: true;
  /** Set where the request has more tokens than the model takes. */
  exceedsContext?: true;
  /** The upstream's request id, when the upstream made the failure. */
  requestId?: string;
  retryAfterSeconds?: number;
  /** Whether the same request, sent again soon, can succeed: `x-should-retry`. Absent where nobody can tell. */
  mayRepeat?: boolean;
  /** The API's `error.details`: what a program may act on. */
  details?: JsonObject;
  /** How the process ended, when that is the failure; for the turn's record. */
  process?: ProcessEnd;
}

type FactsOf<Code extends FailureCode> = Parameters<(typeof FAILURES)[Code]['words']>;

/**
 * Makes a failure: `failure('overloaded', {why: 'the queue is full'})`.
 *
 * @param code a row of {@link FAILURES}
 * @param facts what the row's words are made from
 */
export function failure<Code extends FailureCode>(code: Code, ...facts: FactsOf<Code>): Failure {
  const { status, type, retryAfterSeconds, mayRepeat, words }: FailureRow = FAILURES[code];
  const said = words(facts[0]);
  return {
    code,
    type,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    ...(mayRepeat === undefined ? {} : { mayRepeat }),
    ...said,
    ...((said.retryAfterSeconds ?? 0) > LONG_WAIT_SECONDS && { mayRepeat: false }),
    status: said.status ?? Number(status),
  };
}

/** A failure that is thrown, on its way to where it is answered. */
export class FailureError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure, options?: ErrorOptions) {
    super(failure.message, options);
    this.name = 'FailureError';
    this.failure = failure;
  }
}

/** The error of a failure: `throw failed('client_gone')`. */
export function failed<Code extends FailureCode>(code: Code, ...facts: FactsOf<Code>): FailureError {
  return new FailureError(failure(code, ...facts));
}

/** What a client names may have line breaks, and be as long as its body. */
function inOneLine(message: string): string {
  const line = message.slice(0, 2 * LONGEST_MESSAGE).replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ');
  return line.length > LONGEST_MESSAGE ? `${line.slice(0, LONGEST_MESSAGE)}…` : line;
}

/** A 400 that names the field: `messages.0.content: …`. */
export function badRequest(path: string, problem: string): FailureError {
  return failed('bad_request', { path, problem });
}

/** The same for what is well formed, and not here. */
export function unsupported(path: string, problem: string): FailureError {
  return failed('bad_request', { path, problem, isUnsupported: true });
}

/** The failure inside an error; `internal` for any other error. */
export function failureOf(error: unknown): Failure {
  return error instanceof FailureError ? error.failure : failure('internal', error);
}

/**
 * A failure behind the first tool of an agent's turn: a repeat would do again what a tool has done. Some clients repeat a request
 * for its words.
 */
export function behindTools(found: Failure): Failure {
  const words = found.message.replace(` ${TRY_AGAIN}`, '').replace(/[^.!?]$/, '$&.');
  return {
    ...found,
    mayRepeat: false,
    message: `${words} The agent's tools have run in this turn: the same request would run them again.`,
  };
}

function tryAgain(message: string): Words {
  return { message: `${message} ${TRY_AGAIN}` };
}

/** What Claude Code calls a plan's limits, by the API's names. */
const LIMIT_NAMES: ReadonlyMap<string, string> = new Map([
  ['five_hour', '5-hour limit'],
  ['seven_day', 'weekly limit'],
  ['seven_day_opus', 'Opus limit'],
  ['seven_day_sonnet', 'Sonnet limit'],
  ['seven_day_overage_included', 'Fable limit'],
  ['overage', 'usage credit limit'],
]);

/** What a `Host` header names, as `--allowed-hosts` takes it; a placeholder where it is no such name. */
function nameIn(host: string): string {
  return /^([a-z0-9._-]{1,253})(:\d{1,5})?$/i.exec(host)?.[1]?.toLowerCase() ?? 'NAME';
}

/** What was reached, when it resets, and why nothing pays beyond it. */
function planLimitSentence({ claim = '', resetsAt, overage }: PlanLimits): string {
  const name = LIMIT_NAMES.get(claim) ?? `limit ${JSON.stringify(claim)}`;
  const reset = resetsAt === undefined ? '' : ` and resets at ${toIso(resetsAt)}`;
  const beyond = overage?.disabledReason ? `; usage credits are off (${overage.disabledReason})` : '';
  return `The plan's ${name} is reached${reset}${beyond}.`;
}

/** ISO 8601 in UTC, to the second. */
function toIso(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Exit code, signal, or why it could not be spawned, in a few words. */
export function howItEnded(end: ProcessEnd | undefined): string {
  return end?.spawnError ?? (end?.signal ? `signal ${end.signal}` : `exit code ${end?.code ?? 'unknown'}`);
}

/** A client does not get the words themselves: they may name the operator's upstream, folders or user. */
function whereLastWordsAre(end: ProcessEnd | undefined): string {
  return end?.stderr ? " Its last words are in Isthmus's log." : '';
}
