import type { ConsentTerms } from './payloads';
import { refused } from './problem';
import type { DayWindow, Schedule } from './schedule';
import type { Instant } from './time';

// Whether a schedule keeps within what was consented to (PROTOCOL.md, "Consent bounds"). Counted by the clock on the wall as
// if it never changed, so the answer is one for all nights of the year.

function isWithinHours(window: DayWindow, permitted: ConsentTerms['permitted']): boolean {
  if (permitted.minutes === 1440) return true;
  const intoPermitted = (window.start - permitted.start + 1440) % 1440;
  return intoPermitted + window.minutes <= permitted.minutes;
}

function isWithin(terms: ConsentTerms, windows: DayWindow[]): boolean {
  const minutes = windows.reduce((sum, window) => sum + window.minutes, 0);
  return (
    windows.length <= terms.supervisionsPerDay &&
    minutes <= terms.maxMinutesPerDay &&
    windows.every((window) => isWithinHours(window, terms.permitted))
  );
}

// Throws refused "beyond_consent". Both must name the same time zone.
export function checkWithin(terms: ConsentTerms, schedule: Schedule): void {
  const week = [0, 1, 2, 3, 4, 5, 6].map((day) => schedule.windows.filter((window) => window.days[day]));
  const all = [...week, ...schedule.exceptions.values()];
  if (terms.timezone !== schedule.timezone || !all.every((windows) => isWithin(terms, windows))) throw refused('beyond_consent');
}

// Whether the wall shows a permitted hour at `now`.
export function isPermittedHour(terms: ConsentTerms, now: Instant): boolean {
  const { minutes } = terms.zone.wallAt(now);
  return (minutes - terms.permitted.start + 1440) % 1440 < terms.permitted.minutes;
}

// Whether decision and consent both hold on the date that the wall shows at `now`.
export function isInForce(terms: ConsentTerms, now: Instant): boolean {
  const { date } = terms.zone.wallAt(now);
  return [terms.decision, terms.consent].every(({ from, to }) => from <= date && (to === null || date <= to));
}
