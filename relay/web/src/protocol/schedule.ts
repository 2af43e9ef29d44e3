import type { Reader } from './json';
import { type LocalDate, readDate } from './time';
import { Zone } from './zone';

// When a resident's camera may open (DESIGN §3), read as common/civil/schedule.h reads it.

const kMaxWindows = 64; // in the week, and on one exceptional date
const kMaxExceptions = 400;
export const kDays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export const kWindowId = /^[A-Za-z0-9_-]{1,32}$/;

export interface DayWindow {
  id: string;
  start: number; // minutes since midnight on the wall
  minutes: number; // elapsed time
}

export interface WeekWindow extends DayWindow {
  days: boolean[]; // Monday first
}

export interface Schedule {
  timezone: string;
  validFrom: LocalDate | null; // both inclusive, about the date a window belongs to
  validTo: LocalDate | null;
  windows: WeekWindow[];
  exceptions: Map<LocalDate, DayWindow[]>;
  zone: Zone;
}

export function readTimeOfDay(in_: Reader, name: string): number {
  const found = /^([01][0-9]|2[0-3]):([0-5][0-9])$/.exec(in_.text(name, 5));
  if (!found) throw in_.fail(name, 'is not a time 00:00-23:59');
  return Number(found[1]) * 60 + Number(found[2]);
}

const readDayWindow = (in_: Reader): DayWindow => ({
  id: in_.matching('id', kWindowId),
  start: readTimeOfDay(in_, 'start'),
  minutes: in_.integer('minutes', 1, 720),
});

function readWeekWindow(in_: Reader): WeekWindow {
  const names = in_.texts('days', 7, 3);
  const known = names.every((name) => (kDays as readonly string[]).includes(name));
  if (!known || names.length === 0 || new Set(names).size !== names.length) throw in_.fail('days', 'are not days, each once');
  return { ...readDayWindow(in_), days: kDays.map((day) => names.includes(day)) };
}

const share = (a: WeekWindow, b: WeekWindow): boolean => a.id === b.id && a.days.some((on, day) => on && b.days[day]);

// Reads the members timezone, valid_from, valid_to, windows and exceptions; the rest is the caller's. Throws malformed
// "member" or "timezone".
export function readSchedule(in_: Reader): Schedule {
  const timezone = in_.text('timezone', 64);
  const validFrom = in_.optional('valid_from', (name) => readDate(in_, name));
  const validTo = in_.optional('valid_to', (name) => readDate(in_, name));
  if (validFrom !== null && validTo !== null && validFrom > validTo) throw in_.fail('valid_to', 'is before valid_from');
  const windows = in_.each('windows', kMaxWindows, readWeekWindow);
  if (windows.some((a, i) => windows.slice(0, i).some((b) => share(a, b)))) throw in_.fail('windows', 'has an id twice on a day');
  const exceptions = new Map<LocalDate, DayWindow[]>();
  in_.each('exceptions', kMaxExceptions, (item) => {
    const date = readDate(item, 'date');
    const day = item.each('windows', kMaxWindows, readDayWindow);
    if (exceptions.has(date)) throw in_.fail('exceptions', 'has a date twice');
    if (new Set(day.map((w) => w.id)).size !== day.length) throw in_.fail('exceptions', 'has an id twice');
    exceptions.set(date, day);
  });
  return { timezone, validFrom, validTo, windows, exceptions, zone: Zone.load(timezone) };
}
