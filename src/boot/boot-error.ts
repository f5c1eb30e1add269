/** A reason why the gateway cannot boot; the message is one line that says the cure. */
export class BootError extends Error {}
