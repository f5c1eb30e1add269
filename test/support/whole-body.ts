import type { ModelRequest } from '../../scripted-model/script.ts';

/** All that a model was sent, but for what tells processes apart. */
export function wholeBody({ metadata: _, ...body }: ModelRequest): unknown {
  return JSON.parse(JSON.stringify(body).replace(/cc_version=[^;]*;/, ''));
}
