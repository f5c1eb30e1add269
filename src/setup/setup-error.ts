/** What keeps setup from its work; the message is one line with the cure. */
export class SetupError extends Error {}
