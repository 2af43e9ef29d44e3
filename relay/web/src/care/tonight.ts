import type { Assignment } from '../protocol/payloads';
import { Problem } from '../protocol/problem';
import { formatDate, type Instant } from '../protocol/time';
import { type Occurrence, nextChange, occurrences } from '../protocol/windows';
import type { LedgerWatch } from './ledger_watch';
import type { Outcomes, Records } from './records';
import type { Resident } from './residents';

// Who is due, from signed schedules and outcomes alone; of what the relay says nothing is used but which hubs it hears, and
// that a resident has paused: a lie about that ends in a visit, or in a look, and the hub's signed answer to it.

export type RowState = 'now' | 'late' | 'unreachable' | 'blocked' | 'upcoming' | 'done';

export interface HubPresence {
  isOnline: boolean;
  challenge: string | null;
  state: string;
  isPausedByResident: boolean; // as the hub says; its signed answer says so too
}

export interface Row {
  key: string;
  resident: string;
  group: string;
  person: Resident | undefined;
  nameProblem: '' | 'name_mismatch' | 'name_missing';
  window: Occurrence | null; // null: none near
  state: RowState;
  reason: string; // why blocked
  hub: string | null;
  home: Assignment | null;
  isOnline: boolean;
  isPending: boolean; // the home has not confirmed all that is signed
  next: Instant | null; // when the next window opens, if none is near
  outcome: Outcomes | null; // the one that counts
}

export interface TonightInput {
  records: Records;
  residents: Map<string, Resident>;
  hubs: Map<string, HubPresence>;
  ledger: LedgerWatch | null;
  mayView(group: string): boolean;
  now: Instant;
}

const kHour = 3_600_000;
const kBackMs = 10 * kHour;
const kAheadMs = 16 * kHour;
const kSoonMs = kHour / 2;
const kOrder: RowState[] = ['now', 'late', 'unreachable', 'blocked', 'upcoming', 'done'];

// The outcome of a window that counts: the newest, for a later not-seen or unable outweighs completed. One counts as done
// only when it has been found in the log.
function outcomeOf(input: TonightInput, resident: string, window: Occurrence): Outcomes | null {
  const all = input.records.outcomes.filter(
    ({ outcome }) => outcome.resident === resident && outcome.window.id === window.window && outcome.window.date === window.date,
  );
  return all.sort((a, b) => b.place.seq - a.place.seq)[0] ?? null;
}

function isDone(input: TonightInput, found: Outcomes | null): boolean {
  const ends = found?.outcome.type === 'completed' || found?.outcome.type === 'visit-taken' || found?.outcome.type === 'pause-known';
  return ends && input.ledger !== null && input.ledger.isProven(found.order.hash);
}

// Why the hub will not open, judged as it would; empty if nothing but the time stands in the way.
function obstacle(input: TonightInput, hub: string | null, resident: string): string {
  if (input.records.withheld.has(resident)) return 'orders_withheld';
  if (hub === null) return 'no_assignment';
  if (input.hubs.get(hub)?.isPausedByResident) return 'paused_by_resident';
  try {
    input.records.book.scheduleInForce(hub, resident, input.now);
    return '';
  } catch (error) {
    if (error instanceof Problem) return error.reason;
    throw error;
  }
}

function stateOf(input: TonightInput, row: Omit<Row, 'state' | 'key'>): RowState {
  const { window } = row;
  if (window && isDone(input, row.outcome)) return 'done';
  if (row.reason) return 'blocked';
  if (!window) return 'upcoming';
  if (window.end <= input.now) return 'late';
  if (!row.isOnline && window.start - input.now < kSoonMs) return 'unreachable';
  return window.start <= input.now ? 'now' : 'upcoming';
}

type Home = Omit<Row, 'key' | 'state' | 'window' | 'outcome'>;

function homeOf(input: TonightInput, resident: string, group: string, hub: string | null): Home {
  const { book } = input.records;
  const schedule = book.scheduleOf(resident)?.schedule;
  const person = input.residents.get(resident);
  return {
    resident, group, person, hub, reason: obstacle(input, hub, resident),
    home: hub === null ? null : (book.assignmentOf(hub)?.payload.body ?? null),
    nameProblem: !person ? 'name_missing' : person.isVerified ? '' : 'name_mismatch',
    isOnline: hub !== null && (input.hubs.get(hub)?.isOnline ?? false),
    isPending: hub !== null && input.records.pendingIn(hub, resident).length > 0,
    next: schedule ? nextChange(schedule, input.now) : null,
  };
}

// A home by itself, whatever its hour.
export function homeRow(input: TonightInput, { hub, resident, group }: Assignment): Row {
  return { ...homeOf(input, resident, group, hub), key: resident, state: 'upcoming', window: null, outcome: null };
}

function rowsOf(input: TonightInput, resident: string, group: string): Row[] {
  const { book } = input.records;
  const schedule = book.scheduleOf(resident)?.schedule;
  const windows = schedule ? occurrences(schedule, input.now - kBackMs, input.now + kAheadMs) : [];
  const shared = homeOf(input, resident, group, book.hubsOf(resident)[0] ?? null);
  const near = windows.length > 0 ? windows : [null];
  return near.map((window) => {
    const row = { ...shared, window, outcome: window && outcomeOf(input, resident, window) };
    const key = `${resident} ${window ? `${window.window} ${formatDate(window.date)}` : ''}`;
    return { ...row, key, state: stateOf(input, row) };
  });
}

function groupOf(input: TonightInput, resident: string): string | undefined {
  const { book } = input.records;
  return book.consentOf(resident)?.group ?? book.scheduleOf(resident)?.group;
}

// Tonight's rows, the most pressing first.
export function tonight(input: TonightInput): Row[] {
  const rows = input.records.book.residents().flatMap((resident) => {
    const group = groupOf(input, resident);
    return group !== undefined && input.mayView(group) ? rowsOf(input, resident, group) : [];
  });
  const rank = (row: Row): number => kOrder.indexOf(row.state);
  const time = (row: Row): number => row.window?.start ?? row.next ?? Infinity;
  return rows.sort((a, b) => rank(a) - rank(b) || time(a) - time(b) || (a.key < b.key ? -1 : 1));
}
