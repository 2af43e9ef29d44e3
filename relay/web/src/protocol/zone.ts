import { malformed } from './problem';
import { type Instant, kDayMs, type LocalDate } from './time';

// One time zone by the browser's tzdata (Intl). Offsets are asked once a day of UTC and remembered.
export class Zone {
  private static readonly loaded = new Map<string, Zone>();
  private readonly format: Intl.DateTimeFormat;
  private readonly byDay = new Map<number, number>();

  // The zone with the IANA name `name`, in its exact spelling. Throws malformed "timezone".
  static load(name: string): Zone {
    const found = Zone.loaded.get(name) ?? new Zone(name);
    Zone.loaded.set(name, found);
    return found;
  }

  private constructor(name: string) {
    try {
      if (!/^[A-Z]/.test(name)) throw new Error();
      this.format = new Intl.DateTimeFormat('en-GB', {
        timeZone: name, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric',
        hour: 'numeric', minute: 'numeric', second: 'numeric',
      });
    } catch {
      throw malformed('timezone', 'no such time zone');
    }
    const resolved = this.format.resolvedOptions().timeZone;
    if (resolved.toLowerCase() === name.toLowerCase() && resolved !== name) throw malformed('timezone', 'other spelling');
  }

  private measure(instant: Instant): number {
    const part: Record<string, number> = {};
    for (const { type, value } of this.format.formatToParts(instant)) part[type] = Number(value);
    const wall = Date.UTC(part.year!, part.month! - 1, part.day, part.hour, part.minute, part.second);
    return wall - Math.floor(instant / 1000) * 1000;
  }

  private offsetOfDay(day: number): number {
    let offset = this.byDay.get(day);
    if (offset === undefined) {
      offset = this.measure(day * kDayMs);
      this.byDay.set(day, offset);
    }
    return offset;
  }

  // What the wall shows ahead of UTC at `instant`, in ms.
  offsetAt(instant: Instant): number {
    const day = Math.floor(instant / kDayMs);
    const before = this.offsetOfDay(day);
    return before === this.offsetOfDay(day + 1) ? before : this.measure(instant);
  }

  // When the wall shows `minutes` since midnight on `date`. In the hour that does not exist, counted with the offset from
  // before the change (02:15 becomes 03:15); in the hour that exists twice, the first one (RFC 5545 §3.3.5).
  instantOf(date: LocalDate, minutes: number): Instant {
    const wall = date * kDayMs + minutes * 60_000;
    const before = this.offsetOfDay(date - 1);
    const after = this.offsetOfDay(date + 2);
    const first = wall - before;
    if (before === after || this.offsetAt(first) === before) return first;
    const second = wall - after;
    return this.offsetAt(second) === after ? second : first;
  }

  // Minutes since midnight on the wall, and the date there.
  wallAt(instant: Instant): { date: LocalDate; minutes: number } {
    const wall = instant + this.offsetAt(instant);
    const date = Math.floor(wall / kDayMs);
    return { date, minutes: Math.floor((wall - date * kDayMs) / 60_000) };
  }
}
