/** A setting that is unknown or has a bad value; the message is one line that says the cure. */
export class SettingsError extends Error {}
