import { malformed } from './problem';
import type { Reader } from './json';

// Instants are milliseconds since 1970 UTC; local dates are days since 1970-01-01 on the wall at home.
export type Instant = number;
export type LocalDate = number;

export const kDayMs = 86_400_000;

const kDate = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/;

// RFC 3339 full-date, years 1970-9999; impossible dates are refused. Throws malformed "date".
export function parseDate(text: string): LocalDate {
  const found = kDate.exec(text);
  const day = found ? Date.UTC(Number(found[1]), Number(found[2]) - 1, Number(found[3])) / kDayMs : -1;
  if (day < 0 || formatDate(day) !== text) throw malformed('date', 'not of the form 2026-12-24');
  return day;
}

export const formatDate = (date: LocalDate): string => new Date(date * kDayMs).toISOString().slice(0, 10);

// "2026-11-22T20:15:00Z" exactly. Throws malformed "time".
export function parseInstant(text: string): Instant {
  const shaped = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$/.test(text);
  const instant = shaped ? Date.parse(text) : NaN;
  if (!(instant >= 0) || formatInstant(instant) !== text) throw malformed('time', 'not of the form 2026-11-22T20:15:00Z');
  return instant;
}

// Cuts fractions of a second.
export const formatInstant = (instant: Instant): string =>
  `${new Date(Math.floor(instant / 1000) * 1000).toISOString().slice(0, 19)}Z`;

export function readInstant(in_: Reader, name: string): Instant {
  try {
    return parseInstant(in_.text(name, 20));
  } catch {
    throw in_.fail(name, 'is not a time of the form 2026-11-22T20:15:00Z');
  }
}

export function readDate(in_: Reader, name: string): LocalDate {
  try {
    return parseDate(in_.text(name, 10));
  } catch {
    throw in_.fail(name, 'is not a date of the form 2026-12-24');
  }
}
