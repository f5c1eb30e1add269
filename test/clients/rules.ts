import {
  newestToolResults,
  newestUserText,
  type Reply,
  type RuleFunction,
  type ScriptedBlock,
} from '../../scripted-model/script.ts';

/**
 * Answers one prompt of the user: with the first step, and the results of a step's tools with the step after it.
 *
 * @param prompt a part of the user's text
 */
export function turnRule(prompt: string, ...steps: ScriptedBlock[][]): RuleFunction {
  return (request) => {
    const [result] = newestToolResults(request);
    const answered = steps.findIndex((step) =>
      step.some((block) => block.type === 'tool_use' && block.id === result?.tool_use_id),
    );
    const isAsked = newestUserText(request).includes(prompt);
    const content = answered >= 0 ? steps[answered + 1] : isAsked ? steps[0] : undefined;
    return content && { content };
  };
}

/** Gives a reply to the first request, whatever it is. */
export function once(reply: Reply): RuleFunction {
  let isGiven = false;
  return () => {
    if (isGiven) return undefined;
    isGiven = true;
    return reply;
  };
}

/** A text block of the model. */
export function text(text: string): Extract<ScriptedBlock, { type: 'text' }> {
  return { type: 'text', text };
}

/** A thinking block of the model. */
export function thinking(thinking: string): ScriptedBlock {
  return { type: 'thinking', thinking };
}

/** A call of a tool by the model. */
export function use(id: string, name: string, input: unknown): ScriptedBlock {
  return { type: 'tool_use', id, name, input };
}
