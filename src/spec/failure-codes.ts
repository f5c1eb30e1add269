/** What an operator or a client's author needs to know of a failure; `docs/errors.md` is made from it. */
export interface FailureCodeFacts {
  /** The HTTP status before the first byte of an answer; after it, the failure is an `event: error`. */
  status: string;
  /** The API's `error.type`. */
  type: string;
  cause: string;
  cure: string;
}

/** Every way in which a request can fail. A code is stable: programs may act on it. */
export const FAILURE_CODES = {
  bad_request: {
    status: '400',
    type: 'invalid_request_error',
    cause: 'The request is wrong, or says what the SDK cannot carry. Nothing was started.',
    cure: 'The message begins with the path of the field and says what is expected.',
  },
  field_ignored: {
    status: '400',
    type: 'invalid_request_error',
    cause: 'A field would be ignored, and `--strict` or `isthmus-strict: 1` asks for none to be.',
    cure: 'Leave the field out, or ask without strictness and read `isthmus-ignored`.',
  },
  not_found: {
    status: '404',
    type: 'not_found_error',
    cause: 'There is no such path, or no such model in the list of models.',
    cure: 'The message says what there is.',
  },
  method_not_allowed: {
    status: '405',
    type: 'invalid_request_error',
    cause: 'The path does not take this method.',
    cure: 'The header `allow` says which it takes.',
  },
  unsupported_media_type: {
    status: '415',
    type: 'invalid_request_error',
    cause: 'The body is not declared as JSON, or it is compressed.',
    cure: 'Send `content-type: application/json`, and no `content-encoding`.',
  },
  body_too_large: {
    status: '413',
    type: 'request_too_large',
    cause: 'The body is larger than 32 MB, the API’s own limit.',
    cure: 'Leave out older images, or compact the conversation.',
  },
  forbidden_host: {
    status: '403',
    type: 'permission_error',
    cause: 'The `Host` header is neither a loopback name nor the address that Isthmus is bound to.',
    cure: 'Use the address that Isthmus printed at its start.',
  },
  forbidden_origin: {
    status: '403',
    type: 'permission_error',
    cause: 'A web page of another origin made the request.',
    cure: 'None: web pages may not spend the credential.',
  },
  overloaded: {
    status: '529',
    type: 'overloaded_error',
    cause: 'Every process of the budget is answering, and the queue is full or the wait in it was too long.',
    cure: 'Send it again after `retry-after` seconds; raise `--max-processes`, `--max-memory-mb` or `--queue-seconds`.',
  },
  shutting_down: {
    status: '529',
    type: 'overloaded_error',
    cause: 'Isthmus is being stopped.',
    cure: 'Send it again after `retry-after` seconds.',
  },
  upstream_error: {
    status: 'the upstream’s',
    type: 'the upstream’s',
    cause: 'The model’s API answered with an error.',
    cure: 'As for the API itself; `retry-after` is there where Claude Code announced a wait.',
  },
  upstream_cut: {
    status: '502',
    type: 'api_error',
    cause: 'The connection to the model’s API was lost, or its stream ended before the answer was complete.',
    cure: 'Send it again; nothing of the conversation is lost.',
  },
  upstream_stalled: {
    status: '504',
    type: 'timeout_error',
    cause:
      'The model’s API was silent for minutes: six before its first byte, five within its stream, or `--stall-minutes` by any clock.',
    cure: 'Send it again.',
  },
  refused_by_claude_code: {
    status: '400',
    type: 'invalid_request_error',
    cause: 'Claude Code refused the request before it called the model, for example for an image that it cannot read.',
    cure: 'The message has Claude Code’s words.',
  },
  not_signed_in: {
    status: '401',
    type: 'authentication_error',
    cause: 'Claude Code has no credential where Isthmus runs, or it has run out.',
    cure: 'Set one in the environment of Isthmus or run `claude login`, then start Isthmus again.',
  },
  process_start_failed: {
    status: '500',
    type: 'api_error',
    cause: 'The `claude` process could not be started, or ended before its first word.',
    cure: 'The message has the exit code and the last words; see that `claude --version` works for the same user.',
  },
  files_not_written: {
    status: '500',
    type: 'api_error',
    cause:
      'A new process takes its history, settings and system prompt from files, and they could not be written: most often the disk is full. Nothing reached the model.',
    cure: 'Make room in the folder that the message names, then send it again. Live conversations go on without files.',
  },
  process_lost: {
    status: '500',
    type: 'api_error',
    cause: 'The `claude` process ended in the middle of the turn.',
    cure: 'Send it again: the next process gets the whole history. The message has the exit code or the signal; SIGKILL often means that the machine was out of memory.',
  },
  process_tools_missing: {
    status: '400',
    type: 'invalid_request_error',
    cause: 'Claude Code began twice without some of the client’s tools.',
    cure: 'Give the tools that the message names other names.',
  },
  client_gone: {
    status: '499',
    type: 'api_error',
    cause: 'The client closed its connection; only the log shows this code.',
    cure: 'None.',
  },
  internal: {
    status: '500',
    type: 'api_error',
    cause: 'A defect of Isthmus.',
    cure: 'Report it with the log’s line of this request.',
  },
} as const satisfies Record<string, FailureCodeFacts>;

export type FailureCode = keyof typeof FAILURE_CODES;
