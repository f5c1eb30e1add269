import type { SDKMessage } from '@anthropic-ai/claude-agent-sdk';

/** What the process says about a line of its input. */
interface LifecycleMessage {
  type: 'command_lifecycle';
  /** The uuid of the line. */
  command_uuid: string;
  state: 'queued' | 'started' | 'completed' | 'cancelled';
}

/** Waits until the process has taken a line of its input: else it may take the next one first. */
export class InputReceipts {
  readonly #waiting = new Map<string, () => void>();

  /** Resolves when the process has said that it has done with the line with this uuid. */
  taken(uuid: string): Promise<void> {
    return new Promise((resolve) => this.#waiting.set(uuid, resolve));
  }

  hear(message: SDKMessage): void {
    const { type, state, command_uuid } = message as unknown as LifecycleMessage;
    if (type !== 'command_lifecycle' || (state !== 'completed' && state !== 'cancelled')) return;
    if (state === 'completed') this.#waiting.get(command_uuid)?.();
    this.#waiting.delete(command_uuid);
  }
}
