import type { DayWindow, Schedule } from './schedule';
import { type Instant, kDayMs, type LocalDate } from './time';

// Judges schedules as common/civil/windows.h does: a window starts at its local time, lasts `minutes` of elapsed time and
// is open while start <= t < end.

const kReach = 2; // days: a window ends half a day after its date, and zones have skipped or repeated a whole date
const kHorizon = 400;

// One supervision: the window `window` of the date `date`.
export interface Occurrence {
  window: string;
  date: LocalDate;
  start: Instant;
  end: Instant; // exclusive
}

// Monday 0; 1970-01-01 was a Thursday.
const weekday = (date: LocalDate): number => (((date + 3) % 7) + 7) % 7;

export function windowsOn(schedule: Schedule, date: LocalDate): DayWindow[] {
  if (schedule.validFrom !== null && date < schedule.validFrom) return [];
  if (schedule.validTo !== null && date > schedule.validTo) return [];
  return schedule.exceptions.get(date) ?? schedule.windows.filter((window) => window.days[weekday(date)]);
}

function occurrencesOn(schedule: Schedule, date: LocalDate): Occurrence[] {
  return windowsOn(schedule, date).map((window) => {
    const start = schedule.zone.instantOf(date, window.start);
    return { window: window.id, date, start, end: start + window.minutes * 60_000 };
  });
}

const dateAt = (schedule: Schedule, t: Instant): LocalDate => schedule.zone.wallAt(t).date;

// Every supervision that is open at some t with from <= t < to, ordered by start, then end, then id.
export function occurrences(schedule: Schedule, from: Instant, to: Instant): Occurrence[] {
  const out: Occurrence[] = [];
  if (from >= to) return out;
  for (let date = dateAt(schedule, from) - kReach; date <= dateAt(schedule, to) + kReach; date++) {
    out.push(...occurrencesOn(schedule, date).filter((o) => o.start < to && from < o.end));
  }
  return out.sort((a, b) => a.start - b.start || a.end - b.end || (a.window < b.window ? -1 : 1));
}

function latestEndAt(schedule: Schedule, t: Instant): Instant {
  let latest = t;
  const today = dateAt(schedule, t);
  for (let date = today - kReach; date <= today + kReach; date++) {
    for (const o of occurrencesOn(schedule, date)) {
      if (o.start <= t && t < o.end) latest = Math.max(latest, o.end);
    }
  }
  return latest;
}

export const isOpen = (schedule: Schedule, t: Instant): boolean => latestEndAt(schedule, t) > t;

function openingEnd(schedule: Schedule, t: Instant): Instant | null {
  let end = latestEndAt(schedule, t);
  for (let reached = t; end !== reached && end <= t + kHorizon * kDayMs; ) {
    reached = end;
    end = latestEndAt(schedule, reached);
  }
  return end > t + kHorizon * kDayMs ? null : end;
}

function nextOpening(schedule: Schedule, t: Instant): Instant | null {
  const today = dateAt(schedule, t);
  let first: Instant | null = null;
  let last = today + kHorizon + kReach;
  for (let date = today - kReach; date <= last; date++) {
    for (const { start } of occurrencesOn(schedule, date)) {
      if (start > t && (first === null || start < first)) first = start;
    }
    if (first !== null) last = Math.min(last, dateAt(schedule, first) + kReach);
  }
  return first !== null && first <= t + kHorizon * kDayMs ? first : null;
}

// The next instant after `t` at which isOpen changes; null if none within 400 days.
export const nextChange = (schedule: Schedule, t: Instant): Instant | null =>
  isOpen(schedule, t) ? openingEnd(schedule, t) : nextOpening(schedule, t);
