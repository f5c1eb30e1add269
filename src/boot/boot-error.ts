/** Something that keeps the gateway from starting; the message is one line that says the cure. */
export class BootError extends Error {}
