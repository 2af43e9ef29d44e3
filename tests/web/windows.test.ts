import { Reader, type Json } from '@web/protocol/json';
import { readSchedule, type Schedule } from '@web/protocol/schedule';
import { formatInstant, parseDate, parseInstant } from '@web/protocol/time';
import { isOpen, nextChange, occurrences } from '@web/protocol/windows';
import { readVectors } from './vectors';

interface Line {
  schedule: Json;
  cases?: [string, boolean, string | null][];
  malformed?: string;
}

function read(value: Json): Schedule {
  const in_ = new Reader(value, 'schedule');
  if (in_.text('type', 32) !== 'schedule') throw new Error('type');
  in_.integer('version', 1);
  const schedule = readSchedule(in_);
  in_.finish();
  return schedule;
}

const lines = readVectors('windows.jsonl').trim().split('\n').map((line) => JSON.parse(line) as Line);

describe('windows [ENF-3]', () => {
  it('open and close as the second implementation says, through every clock change', () => {
    const wrong: string[] = [];
    for (const line of lines.filter((l) => l.cases)) {
      const schedule = read(line.schedule);
      for (const [at, open, next] of line.cases!) {
        const t = parseInstant(at);
        const change = nextChange(schedule, t);
        const got = [isOpen(schedule, t), change === null ? null : formatInstant(change)];
        if (got[0] !== open || got[1] !== next) wrong.push(`${at} ${JSON.stringify(got)} for ${open} ${next}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(lines.length).toBeGreaterThan(500);
  });
  it('refuses every malformed schedule', () => {
    const malformed = lines.filter((l) => l.malformed);
    expect(malformed.length).toBeGreaterThan(10);
    for (const line of malformed) expect(() => read(line.schedule), line.malformed).toThrow();
  });
  it('names each supervision by the date on which it starts', () => {
    const schedule = read({
      type: 'schedule', version: 1, timezone: 'Europe/Stockholm', valid_from: null, valid_to: null, exceptions: [],
      windows: [{ id: 'w1', days: ['mon', 'tue'], start: '23:50', minutes: 30 }, { id: 'w2', days: ['tue'], start: '00:10', minutes: 20 }],
    });
    const found = occurrences(schedule, parseInstant('2026-11-23T23:00:00Z'), parseInstant('2026-11-23T23:15:00Z'));
    expect(found.map((o) => [o.window, o.date - parseDate('2026-11-23')])).toEqual([['w1', 0], ['w2', 1]]);
    expect(occurrences(schedule, 5, 5)).toEqual([]);
  });
});

describe('times and dates', () => {
  it('have one spelling', () => {
    expect(formatInstant(parseInstant('2026-11-22T20:15:00Z') + 999)).toBe('2026-11-22T20:15:00Z');
    for (const text of [
      '2026-11-22T20:15:00z', '2026-11-22 20:15:00Z', '2026-02-30T00:00:00Z', '2026-11-22T24:00:00Z', '2026-11-22T20:15:60Z',
      '2026-11-22T20:15:00.0Z', '2026-11-22T20:15:00+00:00', '1969-12-31T23:59:59Z', '',
    ]) expect(() => parseInstant(text), text).toThrow();
    for (const text of ['2026-02-29', '2026-1-1', '2026-13-01', '26-01-01', '1969-12-31', '2026-11-22T']) {
      expect(() => parseDate(text), text).toThrow();
    }
  });
});
