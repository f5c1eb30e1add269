import type { Failure } from '../../spec/failures.ts';

/** The API's error envelope. Its `request_id` is the upstream's where it made the failure. */
export function errorBody(failure: Failure, requestId: string) {
  return {
    type: 'error',
    error: {
      type: failure.type,
      message: failure.message,
      ...(failure.code === 'upstream_error' ? {} : { details: failure.details ?? { error_code: failure.code } }),
    },
    request_id: failure.requestId ?? requestId,
  };
}
