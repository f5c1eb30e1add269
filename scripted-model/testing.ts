/**
 * `isthmus-gateway/testing`: the scripted model, for tests of your own. It stands in for the Messages API, and knows neither the
 * gateway nor the Agent SDK. The tests of this project and `isthmus demo` use the same door.
 */

import { ScriptedModel, type ScriptedModelOptions } from './server.ts';

export { answer, apiError, text, thinking, toolUse } from './replies.ts';
export {
  type ContentBlock,
  type ModelRequest,
  newestToolResults,
  newestUserText,
  type Reply,
  type Rule,
  type RuleFunction,
  type Script,
  type ScriptedBlock,
  type When,
} from './script.ts';
export type { RecordedRequest, ScriptedModel, ScriptedModelOptions } from './server.ts';

/**
 * Starts a scripted model on a free port of 127.0.0.1. Its `url` is the base URL for a client, or `ANTHROPIC_BASE_URL` for the
 * gateway; any key will do. `requests` holds what it was asked, `close()` ends it.
 *
 * The first rule of the script that fits a request answers it; without one, the answer repeats the newest text of the user.
 *
 * @example
 * const model = await startScriptedModel({
 *   script: [
 *     { when: { text: 'weather', has_tool_result: false }, replies: [answer(toolUse('get_weather', { city: 'Oslo' }))] },
 *     { when: { has_tool_result: true }, replies: [answer('It rains.')] },
 *     { when: { text: 'too much' }, replies: [apiError(529, 'Overloaded'), answer('Now I can.')] },
 *     (request) => (request.model.includes('haiku') ? answer('Brief.') : undefined),
 *   ],
 * });
 *
 * @throws the error of `listen`, such as `EADDRINUSE`, for a port of your own
 */
export function startScriptedModel(options: ScriptedModelOptions = {}): Promise<ScriptedModel> {
  return ScriptedModel.start(options);
}
