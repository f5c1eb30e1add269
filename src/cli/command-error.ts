/** A command that cannot be done; the message is one line that says why, and the cure if there is one. */
export class CommandError extends Error {}
