import type { Row } from '../contract.ts';

/** Fields that both of OpenAI's APIs have, and of which the same becomes. */
export const SHARED_FIELDS = {
  model: {
    handling: 'honoured',
    note: 'The exact id, or an alias of Claude Code or of the operator; a prefix `anthropic/` is taken off.',
  },
  tool_choice: {
    handling: 'honoured',
    note: 'In every form. Where a model refuses forced calls it is `auto`, and declared as ignored. Tools that OpenAI runs itself are left out of `allowed_tools`, and it is declared then; to force one is a 400.',
  },
  parallel_tool_calls: { handling: 'honoured', note: 'Beside tools.' },
  stream: { handling: 'honoured', note: 'Absent or false: one JSON body.' },
  temperature: {
    handling: 'honoured',
    note: 'Capped at 1, and declared then. Ignored, and declared, where the model takes none: newer models, and beside thinking.',
  },
  top_p: {
    handling: 'honoured',
    note: 'As it is; ignored, and declared, where the model takes none or takes `temperature`.',
  },
  user: { handling: 'honoured', note: 'It goes into the log line of the turn, nothing goes to the model.' },
  prompt_cache_key: { handling: 'replaced', note: 'Claude Code sets its own breakpoints.' },
  prompt_cache_retention: { handling: 'replaced', note: 'Claude Code sets its own breakpoints.' },
  prompt_cache_options: { handling: 'replaced', note: 'Claude Code sets its own breakpoints.' },
  safety_identifier: { handling: 'replaced', note: 'It is for OpenAI.' },
  service_tier: { handling: 'ignored', unless: ['auto', 'default'], note: 'It would change what the turn costs.' },
  top_logprobs: { handling: 'ignored', unless: [0], note: 'The model tells none.' },
  presence_penalty: { handling: 'ignored', unless: [0], note: 'The model takes none.' },
  frequency_penalty: { handling: 'ignored', unless: [0], note: 'The model takes none.' },
} as const satisfies Record<string, Row>;
