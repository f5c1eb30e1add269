/**
 * The exit code of a command whose settings or surroundings are wrong (EX_CONFIG of sysexits.h): to start it again changes
 * nothing, so neither the supervisor nor the systemd unit does.
 */
export const CANNOT_START = 78;
