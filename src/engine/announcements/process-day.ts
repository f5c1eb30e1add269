/** The day of a process: the date that it takes for today, as long as it lives. */
export interface ProcessDay {
  /** The time zone that it runs in, for `TZ`. */
  zone: string;
  /** `YYYY-MM-DD` in that zone. */
  date: string;
  /** When it must not begin another model call, in milliseconds since 1970: soon after, it would tell the model a new date. */
  endsAt: number;
}

const HOUR_MS = 3_600_000;

/** How long before midnight a day ends: longer than a turn takes from the gateway to its model call. */
const MARGIN_MS = 10 * 60_000;

/**
 * The day of a process that is spawned now. Its zone is the one in which it is between midnight and one o'clock, so that no
 * midnight comes for 23 hours. The model hears of neither.
 *
 * @param now milliseconds since 1970
 */
export function dayFrom(now: number): ProcessDay {
  const hour = new Date(now).getUTCHours();
  const offset = hour <= 12 ? -hour : 24 - hour;
  const local = now + offset * HOUR_MS;
  const midnight = Math.floor(local / (24 * HOUR_MS)) * 24 * HOUR_MS;
  return {
    // The signs of these names are turned round: Etc/GMT+5 is five hours behind.
    zone: offset === 0 ? 'Etc/GMT' : `Etc/GMT${offset < 0 ? '+' : '-'}${Math.abs(offset)}`,
    date: new Date(local).toISOString().slice(0, 10),
    endsAt: midnight + 24 * HOUR_MS - offset * HOUR_MS - MARGIN_MS,
  };
}
