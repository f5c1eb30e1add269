import { type Finding, findingsOf } from './finding.ts';

const { ok, note, warning, problem } = findingsOf('clock');

/** Signatures of AWS hold for five minutes. */
const MOST_SKEW_MS = 5 * 60_000;

/** No clock that is right says less. */
const EARLIEST = Date.UTC(2026, 0, 1);

/**
 * @param now by this machine, in milliseconds since 1970
 * @param date the header of the API's answer; undefined where it was not reached
 */
export function clockFindings(now: number, date: string | undefined): Finding[] {
  const told = date === undefined ? Number.NaN : Date.parse(date);
  const cure = 'Set the clock, and keep it right with NTP (`timedatectl set-ntp true`).';
  if (now < EARLIEST) {
    return [problem(`The clock says the year ${new Date(now).getUTCFullYear()}: no certificate holds then.`, cure)];
  }
  if (Number.isNaN(told))
    return [note('Whether the clock is right is not known: no answer of the API told its own time.')];
  const skew = Math.abs(now - told);
  if (skew <= MOST_SKEW_MS) return [ok('The clock agrees with that of the API.')];
  const minutes = Math.round(skew / 60_000);
  return [
    warning(
      `The clock is ${minutes} minutes ${now > told ? 'ahead of' : 'behind'} that of the API: sign-ins and signed requests may be refused.`,
      cure,
    ),
  ];
}
