import { expect, test } from 'vitest';
import { dayFrom } from './process-day.ts';

const MINUTE = 60_000;
const at = (time: string) => Date.parse(time);

test('a day begins less than an hour ago and lasts for 23 hours, at any time of the day', () => {
  for (let now = at('2026-03-01T00:00:00Z'); now < at('2026-03-03T00:00:00Z'); now += 7 * MINUTE) {
    const { zone, date, endsAt } = dayFrom(now);
    const local = (time: number) =>
      new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' }).format(time);
    expect(local(now)).toMatch(`${date} 00:`);
    expect(local(endsAt)).toBe(`${date} 23:50:00`);
  }
});

test('the names of zones have the other sign', () => {
  expect(dayFrom(at('2026-11-25T23:48:00Z'))).toEqual({
    zone: 'Etc/GMT-1',
    date: '2026-11-26',
    endsAt: at('2026-11-26T22:50:00Z'),
  });
  expect(dayFrom(at('2026-11-25T12:00:00Z')).zone).toBe('Etc/GMT+12');
  expect(dayFrom(at('2026-11-25T00:59:59Z'))).toMatchObject({ zone: 'Etc/GMT', date: '2026-11-25' });
});
