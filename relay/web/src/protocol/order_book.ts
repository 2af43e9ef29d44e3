import { type Bytes, b64, fromB64, sha256, u64, utf8 } from './bytes';
import { checkWithin, isInForce, isPermittedHour } from './consent_bounds';
import { judge, type JudgeContext, kAccepted, type Verdict, verdictOf } from './judge';
import type { Order } from './order';
import {
  type Acceptance, type Assignment, type Body, type Consent, hubOf, isClosing, isStanding, residentOf, type ScheduleOrder,
} from './payloads';
import { checkRelations } from './relations';
import { refused, waiting } from './problem';
import type { PersonRights } from './rights';
import type { Schedule } from './schedule';
import type { Instant } from './time';
import type { Person } from './trust';
import { isOpen } from './windows';

// The orders that stand at one provider, as common/orders/order_book.h keeps them. Judged before they are put.

export interface SlotEntry {
  slot: string;
  version: number;
  order: string;
}

const kHomeSlots = ['acceptance', 'assignment', 'consent', 'device', 'pause', 'schedule'] as const;
const kOfHub = ['acceptance', 'assignment', 'device'];

const personKey = ({ issuer, person }: Person): string => `person|${JSON.stringify([issuer, person])}`;

// Where a standing order belongs: slot and owner; null for acts and outcomes.
export function slotKey(body: Body): string | null {
  if (!isStanding(body)) return null;
  switch (body.type) {
    case 'grant':
    case 'revoke':
      return personKey(body);
    case 'release':
      return `assignment|${body.hub}`;
    case 'resume':
      return `pause|${body.resident}`;
    default:
      return `${body.type}|${kOfHub.includes(body.type) ? hubOf(body) : residentOf(body)}`;
  }
}

// The slot's name as receipts and heads write it.
export async function slotName(body: Body): Promise<string> {
  if (body.type === 'grant' || body.type === 'revoke') {
    return `person/${b64(await sha256(utf8(body.issuer), Uint8Array.of(0), utf8(body.person)))}`;
  }
  return slotKey(body)!.split('|')[0]!;
}

// SHA-256 over the entries in the sequence of their slots (PROTOCOL.md, "Head").
export async function headOf(entries: SlotEntry[]): Promise<string> {
  const parts: Bytes[] = [];
  for (const { slot, version, order } of entries) parts.push(utf8(slot), Uint8Array.of(0), u64(version), fromB64(order, 32));
  return b64(await sha256(...parts));
}

function checkSamePlace(body: Consent | ScheduleOrder, home: Assignment): void {
  if (body.home !== home.home) throw refused('wrong_home');
  if (body.group !== home.group) throw refused('group_not_in_scope');
}

type Of<T extends Body> = Order & { payload: { body: T } };

// Enough for an installer who corrects himself; the oldest goes.
const kMaxUncountersigned = 64;

export class OrderBook {
  private readonly slots = new Map<string, Order>();
  // An assignment without countersign stands beside its slot, and nowhere else.
  private uncountersigned: Of<Assignment>[] = [];

  // What the slot holds.
  at(key: string): Order | undefined {
    return this.slots.get(key);
  }

  all(): Order[] {
    return [...this.slots.values(), ...this.uncountersigned];
  }

  isUncountersigned(hash: string): boolean {
    return this.uncountersigned.some((order) => order.hash === hash);
  }

  rightsOf = (person: Person): PersonRights => {
    const body = this.slots.get(personKey(person))?.payload.body;
    if (body?.type === 'revoke') return { revoked: true, rights: [] };
    return { revoked: false, rights: body?.type === 'grant' ? body.rights : [] };
  };

  // judge() with the book as the source of rights, then whether the order may take its place among those held.
  async judgeAndCheck(order: Order, context: Omit<JudgeContext, 'rightsOf'>): Promise<Verdict> {
    const verdict = await judge(order, { ...context, rightsOf: this.rightsOf });
    return verdict.kind === 'accepted' ? this.check(order) : verdict;
  }

  // The first reason that applies: versions, then relations. Accepted as well if it is held already.
  check(order: Order): Verdict {
    if (this.isHeld(order)) return kAccepted;
    try {
      this.checkVersion(order);
      checkRelations(order, this);
      return kAccepted;
    } catch (error) {
      return verdictOf(error);
    }
  }

  private holder(order: Order): Order | undefined {
    const key = slotKey(order.payload.body);
    return key === null ? undefined : this.slots.get(key);
  }

  private isHeld(order: Order): boolean {
    return this.holder(order)?.hash === order.hash || this.isUncountersigned(order.hash);
  }

  private checkVersion(order: Order): void {
    const held = this.holder(order);
    if (!held) return;
    const { version, replaces } = order.payload.standing!;
    const heldVersion = held.payload.standing!.version;
    const closes = isClosing(order.payload.body);
    if (version < heldVersion) throw refused('superseded');
    if (version === heldVersion && !(closes && !isClosing(held.payload.body))) throw refused('slot_taken');
    if (closes) return;
    if (version > heldVersion + 1) throw waiting('version_gap');
    if (replaces !== held.hash) throw refused('wrong_predecessor');
  }

  // Precondition: accepted. Acts and outcomes are not kept.
  put(order: Order): void {
    const key = slotKey(order.payload.body);
    if (key === null || this.isHeld(order)) return;
    if (order.payload.body.type !== 'assignment') return this.takeSlot(key, order);
    this.uncountersigned = [...this.uncountersigned.slice(1 - kMaxUncountersigned), order as Of<Assignment>];
  }

  // The hub has signed that its button was held for this assignment: it takes its slot.
  countersigned(assignment: string): void {
    const order = this.uncountersigned.find((candidate) => candidate.hash === assignment);
    if (!order) return;
    try {
      this.checkVersion(order);
    } catch {
      return;
    }
    this.takeSlot(slotKey(order.payload.body)!, order);
  }

  private takeSlot(key: string, order: Order): void {
    if (key.startsWith('assignment|')) {
      this.uncountersigned = this.uncountersigned.filter((other) => slotKey(other.payload.body) !== key);
    }
    this.slots.set(key, order);
  }

  private body<T extends Body>(type: T['type'], owner: string): T | undefined {
    const body = this.slots.get(`${type}|${owner}`)?.payload.body;
    return body?.type === type ? (body as T) : undefined;
  }

  // The assignment that a hub serves under: countersigned, not released.
  assignmentOf(hub: string): Of<Assignment> | undefined {
    const order = this.slots.get(`assignment|${hub}`);
    return order?.payload.body.type === 'assignment' ? (order as Of<Assignment>) : undefined;
  }

  acceptanceOf(hub: string): Acceptance | undefined {
    return this.body<Acceptance>('acceptance', hub);
  }

  consentOf(resident: string): Consent | undefined {
    return this.body<Consent>('consent', resident);
  }

  scheduleOf(resident: string): ScheduleOrder | undefined {
    return this.body<ScheduleOrder>('schedule', resident);
  }

  // The hubs that serve a resident, sorted.
  hubsOf(resident: string): string[] {
    const hubs = [...this.slots.keys()].filter((key) => key.startsWith('assignment|')).map((key) => key.split('|')[1]!);
    return hubs.sort().filter((hub) => this.assignmentOf(hub)?.payload.body.resident === resident);
  }

  residents(): string[] {
    const owners = ['consent', 'schedule'].flatMap((name) =>
      [...this.slots.keys()].filter((key) => key.startsWith(`${name}|`)).map((key) => key.split('|')[1]!),
    );
    return [...new Set(owners)].sort();
  }

  // The orders that count in one home, in the head's sequence.
  homeSlots(hub: string, resident: string): SlotEntry[] {
    const out: SlotEntry[] = [];
    for (const slot of kHomeSlots) {
      const order = this.slots.get(`${slot}|${kOfHub.includes(slot) ? hub : resident}`);
      if (order) out.push({ slot, version: order.payload.standing!.version, order: order.hash });
    }
    return out;
  }

  // The schedule by which the hub may open for its resident at `now`. Throws refused with the first reason that applies:
  // "no_assignment", "wrong_resident", "not_accepted", "no_consent", "consent_withdrawn", "wrong_home", "group_not_in_scope",
  // "consent_expired", "no_schedule", "beyond_consent", "paused", "outside_permitted_hours" (only if open at `now`).
  scheduleInForce(hub: string, resident: string, now: Instant): Schedule {
    const assignment = this.assignmentOf(hub);
    if (!assignment) throw refused('no_assignment');
    if (assignment.payload.body.resident !== resident) throw refused('wrong_resident');
    const home = assignment.payload.body;
    if (this.acceptanceOf(hub)?.assignment !== assignment.hash) throw refused('not_accepted');
    const consent = this.consentOf(resident);
    if (!consent) throw refused('no_consent');
    if (!consent.terms) throw refused('consent_withdrawn');
    checkSamePlace(consent, home);
    if (!isInForce(consent.terms, now)) throw refused('consent_expired');
    const schedule = this.scheduleOf(resident);
    if (!schedule) throw refused('no_schedule');
    checkSamePlace(schedule, home);
    checkWithin(consent.terms, schedule.schedule);
    const pause = this.slots.get(`pause|${resident}`)?.payload.body;
    if (pause?.type === 'pause' && now < pause.until) throw refused('paused');
    if (isOpen(schedule.schedule, now) && !isPermittedHour(consent.terms, now)) throw refused('outside_permitted_hours');
    return schedule.schedule;
  }
}
