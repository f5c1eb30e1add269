import { toolsKeyOf } from '../../conversation/route.ts';
import type { ClientTool, MessagesRequest } from '../../spec/messages.ts';
import { HeldCalls } from '../held-calls/held-calls.ts';
import { type RequestVariables, toRequestVariables } from '../parameters/request-variables.ts';
import { ToolNames } from '../parameters/tool-names.ts';

/** What a process needs for the request that begins its conversation, whether it is spawned, claimed or used again. */
export interface RequestParts {
  heldCalls: HeldCalls;
  tools: readonly ClientTool[];
  /** See `ConversationProcess.toolsKey`. */
  toolsKey: string;
  betas: readonly string[];
  via: readonly string[];
  names: ToolNames;
  /** As they stand in the process's environment. */
  variables: RequestVariables;
}

export function partsFor(request: MessagesRequest): RequestParts {
  const { tools, betas, via = [] } = request;
  const names = new ToolNames(tools);
  return {
    heldCalls: new HeldCalls(tools, names),
    tools,
    toolsKey: toolsKeyOf(request),
    betas,
    via,
    names,
    variables: toRequestVariables(request, names),
  };
}
